/**
 * Cuts the power of a program that writes, at random moments of its life. A SIGKILL cannot show that a sync is missing, as the
 * system writes out later what a dead process has written; so its calls are recorded, and the disk is computed that a power
 * cut would leave behind each of them, and the one that a SIGKILL leaves.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { listCheckpoints, readClaim, verifyCheckpoint } from "@pretrain/checkpoint";
import { messageOf } from "@pretrain/errors";
import { openSpool } from "@pretrain/spool";
import { SeededRandom } from "../seeded-random.ts";
import { type DiskCall, recordedCalls, straceOptions } from "./recorded-calls.ts";
import { type Survivors, survivors, VolatileDisk } from "./volatile-disk.ts";

/** Not in a package: a machine without it skips these. */
const strace = "strace";

export interface PowerCutCounts {
  readonly cuts: number;
  /** Acknowledged writes that were looked for, all cuts together. */
  readonly acknowledged: number;
  /** Those that were gone, and checkpoints that were there and broken. */
  readonly lost: readonly string[];
}

/** @param folder is made  @param cuts that many, or one behind each call if there are fewer calls */
export async function powerCuts(
  folder: string,
  cuts: number,
  seed: string,
  say: (line: string) => void,
): Promise<PowerCutCounts> {
  mkdirSync(folder);
  if (spawnSync(strace, ["-V"]).status !== 0) {
    say("SKIPPED power cuts: strace is not installed");
    return { cuts: 0, acknowledged: 0, lost: [] };
  }
  const root = join(folder, "written");
  const calls = recorded(folder, root);
  const moments = new SeededRandom(`power ${seed}`).shuffled(calls.map((_, index) => index + 1)).slice(0, cuts);
  const lost: string[] = [];
  let acknowledged = 0;
  for (const moment of moments) {
    const before = calls.slice(0, moment);
    const promised = before.flatMap(acknowledgementIn);
    for (const surviving of survivors) {
      acknowledged += promised.length;
      const left = join(folder, "left");
      leave(left, root, before, surviving);
      const faults = await faultsIn(left, promised);
      lost.push(
        ...faults.map((fault) => `after a power cut behind call ${moment} of ${calls.length}, ${surviving}: ${fault}`),
      );
    }
  }
  return { cuts: moments.length, acknowledged, lost };
}

/** One thread does all of its file calls: strace shows them in the order in which they took effect. */
function recorded(folder: string, root: string): DiskCall[] {
  const log = join(folder, "calls.log");
  const writer = fileURLToPath(new URL("./writer.ts", import.meta.url));
  mkdirSync(root);
  const { status, stderr } = spawnSync(strace, [...straceOptions, "-o", log, process.execPath, writer, root], {
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the writer ended with ${status}: ${stderr.slice(-2000)}`);
  return recordedCalls(readFileSync(log, "utf8")).filter(
    (call) => isBelow(call, root) || acknowledgementIn(call).length > 0,
  );
}

function isBelow(call: DiskCall, root: string): boolean {
  return ("path" in call ? call.path : call.to).startsWith(root);
}

interface Promised {
  readonly what: string;
  readonly number: number;
}

function acknowledgementIn(call: DiskCall): Promised[] {
  if (call.name !== "write") return [];
  const [, what, number] = /^acknowledged (\w+) (\d+)\n$/.exec(call.bytes.toString("latin1")) ?? [];
  return what === undefined ? [] : [{ what, number: Number(number) }];
}

function leave(left: string, root: string, calls: readonly DiskCall[], surviving: Survivors): void {
  const disk = new VolatileDisk();
  for (const call of calls) disk.apply(call);
  rmSync(left, { recursive: true, force: true });
  mkdirSync(left);
  for (const [path, bytes] of disk.files(surviving, root)) {
    const file = join(left, path.slice(root.length));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** What the program finds at its next start, against what it had promised. */
async function faultsIn(left: string, promised: readonly Promised[]): Promise<string[]> {
  const blobs = openBlobs(pathToFileURL(join(left, "blobs")).href);
  const { checkpoints, damaged, damagedClaims } = await listCheckpoints(blobs, "power");
  const faults = [...damaged.map(({ fault }) => fault.message), ...damagedClaims.map(({ message }) => message)];
  for (const sealed of checkpoints)
    await verifyCheckpoint(blobs, sealed).catch((error) => faults.push(messageOf(error)));
  using spool = openSpool(join(left, "spool"), { limitBytes: 2 ** 20 });
  const spooled = new Set(spool.toSend(1000).map(({ sequence }) => sequence));
  const steps = new Set(checkpoints.map(({ manifest }) => manifest.microStep));
  for (const { what, number } of promised) {
    const isThere =
      what === "spooled"
        ? spooled.has(number)
        : what === "checkpoint"
          ? steps.has(number)
          : await readClaim(blobs, "power", number).then(Boolean, () => false);
    if (!isThere) faults.push(`the acknowledged ${what} ${number} is gone`);
  }
  return faults;
}
