/**
 * What the set-up needs and what it has left, looked at with nothing but Node itself: this also runs in a checkout in which
 * nothing is set up yet, and says why.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Finding, failed, ok, warning } from "./finding.ts";

/** What a finding depends on, so that a test can make each of them otherwise. */
export interface SetUp {
  readonly checkout: string;
  readonly platform: string;
  readonly architecture: string;
  readonly nodeVersion: string;
  /** First line of what the program says to `--version`; undefined when it is not there. */
  readonly versionOf: (program: string, ...words: string[]) => Promise<string | undefined>;
}

export function thisSetUp(checkout: string): SetUp {
  const { platform, arch: architecture, versions } = process;
  return { checkout, platform, architecture, nodeVersion: versions.node, versionOf };
}

const setUpCommand = "npx --yes pnpm@12.21.0 run setup";

export async function setUpFindings(setUp: SetUp): Promise<Finding[]> {
  const parts = partsOf(setUp.checkout);
  const isComplete = parts.every(({ outcome }) => outcome === "ok");
  return [systemFinding(setUp), nodeFinding(setUp), ...(await toolFindings(setUp, isComplete)), ...parts];
}

function systemFinding({ platform, architecture }: SetUp): Finding {
  const found = `${platform} ${architecture}`;
  if (platform === "linux" && architecture === "x64") return ok("system", found);
  return failed("system", found, "use Linux on x64: TensorFlow's library and the broker are fetched for it alone");
}

function nodeFinding({ nodeVersion }: SetUp): Finding {
  const [major = 0] = nodeVersion.split(".").map(Number);
  if (major >= 26) return ok("node", nodeVersion);
  const mend = `start this with ./pretrain or "${setUpCommand.replace("setup", "pretrain")}", which bring the Node that is pinned`;
  return failed("node", `${nodeVersion}, 26 is needed`, mend);
}

/** Needed while setting up; later only for setting up again. */
async function toolFindings({ versionOf: version }: SetUp, isComplete: boolean): Promise<Finding[]> {
  const tools = [
    ["g++", ["g++"], "g++"],
    ["python3", ["python3"], "python3"],
    ["pip", ["python3", "-m", "pip"], "python3-pip"],
  ] as const;
  const missing = isComplete ? warning : failed;
  const found = await Promise.all(
    tools.map(async ([what, [program, ...words], debian]) => {
      const said = await version(program, ...words);
      if (said !== undefined) return ok(what, said);
      return missing(
        what,
        "not there; the set-up compiles and downloads with it",
        `install it: apt-get install ${debian}`,
      );
    }),
  );
  const git = await version("git");
  const noGit = warning("git", "not there", "install it for --changes-since: apt-get install git");
  return [...found, git === undefined ? noGit : ok("git", git)];
}

/** What the set-up leaves behind. */
function partsOf(checkout: string): Finding[] {
  return (
    [
      ["packages", "node_modules/.modules.yaml"],
      ["contracts", "proto/src/gen/.inputs.sha256"],
      ["broker program", "libs/platform/nats-server/.native"],
      ["tensorflow", "libs/engine/tensorflow-native/.native"],
    ] as const
  ).map(([what, path]) => {
    const place = join(checkout, path);
    if (existsSync(place)) return ok(what, path.endsWith(".native") ? readdirSync(place).join(", ") : "there");
    return failed(what, `${path} is missing`, `set it up: ${setUpCommand}`);
  });
}

const patienceMs = 10_000;

async function versionOf(program: string, ...words: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...words, "--version"], { timeout: patienceMs });
    return stdout.split("\n")[0]?.trim();
  } catch {
    return undefined; // not there, or not able to run: the same to whoever needs it
  }
}
