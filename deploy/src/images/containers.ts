/**
 * buildah and podman, with a store of their own below `deploy/.native`: what else lies on the machine is neither used nor changed, and no
 * registry is asked for anything.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { FailedPrecondition } from "@pretrain/errors";
import { workFolder } from "./checkout.ts";

const run = promisify(execFile);

const programs = ["buildah", "podman", "runc", "ip"] as const;

/** For the `skip` of a test: what is missing and how to get it, or false where containers can be built and run. */
export function whyNoContainers(): string | false {
  const missing = programs.filter((program) => !answers(program));
  if (missing.length > 0)
    return `not installed: ${missing.join(", ")}; run \`apt-get install buildah podman runc iproute2\``;
  return process.getuid?.() === 0
    ? false
    : "only root may make network namespaces and give files away; run this as root";
}

function answers(program: string): boolean {
  try {
    execFileSync(program, [program === "ip" ? "-V" : "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export interface Containers {
  /** @returns what the program printed. @throws FailedPrecondition with its own words when it fails */
  buildah(...words: string[]): Promise<string>;
  podman(...words: string[]): Promise<string>;
}

/** @throws FailedPrecondition saying what the machine lacks */
export async function openContainers(): Promise<Containers> {
  const lacking = whyNoContainers();
  if (lacking !== false) throw new FailedPrecondition("NO_CONTAINERS", lacking);
  await mkdir(workFolder, { recursive: true });
  const settings = join(workFolder, "containers.conf");
  await writeFile(settings, containersConf);
  const env = { ...process.env, CONTAINERS_CONF: settings, LC_ALL: "C" };
  const store = ["--root", join(workFolder, "store"), "--runroot", join(workFolder, "run")];
  const call = async (program: "buildah" | "podman", words: readonly string[]) => {
    try {
      const { stdout } = await run(program, words, { env, maxBuffer: 64e6 });
      return stdout.trim();
    } catch (cause) {
      const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).slice(-1500) : String(cause);
      throw new FailedPrecondition("CONTAINERS", `${program} ${words.join(" ").slice(0, 300)}: ${said}`, {}, { cause });
    }
  };
  const overlay = ["--storage-driver", "overlay", ...store];
  // Inside another container an overlay may not be laid over an overlay; copies always work.
  const chosen = await call("podman", [...overlay, "info"]).then(
    () => overlay,
    () => ["--storage-driver", "vfs", ...store],
  );
  return {
    buildah: (...words) => call("buildah", [...chosen, ...words]),
    podman: (...words) => call("podman", [...chosen, ...words]),
  };
}

/** Works without systemd and without the right to raise limits: in a container of a build machine as on a workstation. */
const containersConf = `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
cgroupns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;
