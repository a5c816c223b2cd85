/** Processes below a process, read from /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Ids of all running descendants of `pid`, zombies left out. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(processes().map(({ id, parent }) => [id, parent]));
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

function processes(): { id: number; parent: number }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const fields = statOf(entry);
      return fields === undefined || fields[0] === "Z" ? [] : [{ id: Number(entry), parent: Number(fields[1]) }];
    });
}

/** State, parent and what follows; undefined when the process has gone meanwhile. */
function statOf(entry: string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
