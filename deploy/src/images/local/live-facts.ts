/** What the kernel says of a container's first process: not what was asked for, but what holds. */
import { readdirSync, readFileSync } from "node:fs";

export interface LiveFacts {
  readonly userId: number;
  readonly groupId: number;
  /** Of the effective, permitted, inheritable, bounding and ambient sets together: 0 is none at all. */
  readonly capabilities: bigint;
  readonly noNewPrivileges: boolean;
  /** A filter of system calls is in force. */
  readonly seccomp: boolean;
  readonly rootReadOnly: boolean;
  readonly memoryLimitBytes: number;
  /** Children of it that have ended and that it does not know: nobody will ask for their end. */
  readonly zombies: number;
}

export function liveFacts(processId: number): LiveFacts {
  const status = new Map(
    readFileSync(`/proc/${processId}/status`, "utf8")
      .split("\n")
      .map((line) => line.split(":\t") as [string, string]),
  );
  const number = (name: string) => Number((status.get(name) ?? "").split("\t")[0]);
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((name) => BigInt(`0x${status.get(name)}`));
  return {
    userId: number("Uid"),
    groupId: number("Gid"),
    capabilities: sets.reduce((all, set) => all | set, 0n),
    noNewPrivileges: number("NoNewPrivs") === 1,
    seccomp: number("Seccomp") === 2,
    rootReadOnly: isRootReadOnly(readFileSync(`/proc/${processId}/mountinfo`, "utf8")),
    memoryLimitBytes: memoryLimit(readFileSync(`/proc/${processId}/cgroup`, "utf8")),
    zombies: zombiesOf(processId),
  };
}

/** Lines such as `812 700 0:51 / / ro,relatime - overlay overlay …`; the last one for `/` is on top. */
function isRootReadOnly(mountinfo: string): boolean {
  const root = mountinfo
    .split("\n")
    .map((line) => line.split(" "))
    .findLast((fields) => fields[4] === "/");
  return (root?.[5] ?? "").split(",").includes("ro");
}

/** Version 2 has one line `0::/path`, version 1 one for each controller: `7:memory:/path`. */
function memoryLimit(cgroup: string): number {
  const path = (pattern: RegExp) => pattern.exec(cgroup)?.[1];
  const old = path(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m);
  const file =
    old === undefined
      ? `/sys/fs/cgroup${path(/^0::(.*)$/m)}/memory.max`
      : `/sys/fs/cgroup/memory${old}/memory.limit_in_bytes`;
  return Number(readFileSync(file, "utf8"));
}

function zombiesOf(parent: number): number {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [, state, parentId] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      return state === "Z" && Number(parentId) === parent;
    } catch {
      return false; // it has just gone
    }
  }).length;
}
