/** One call of the command: rounds on the running system, flips in what it has left, power cuts. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { flipsAfterRun } from "./byte-flips/flips-after-run.ts";
import type { Options } from "./options.ts";
import { planOf } from "./plan.ts";
import { powerCuts } from "./power-cuts/power-cuts.ts";
import { noOutcome, type Outcome, runChaos } from "./run-chaos.ts";
import { mountSmallDisk, unmount } from "./system/ballast.ts";

const smallDiskMegabytes = 512;

/** @param folder an empty one, for all that is written */
export async function perform(folder: string, options: Options, say: (line: string) => void): Promise<Outcome> {
  const { seed, flips } = options;
  let outcome = noOutcome;
  if (options.rounds > 0 || flips > 0) {
    await using disk = await smallDisk(folder, options);
    if (disk.isMissing) say("SKIPPED full-disk: this process may not mount a small file system");
    const kinds = options.faults.filter((name) => name !== "full-disk" || !disk.isMissing);
    outcome = await runChaos(folder, planOf(seed, kinds.length === 0 ? 0 : options.rounds, kinds), say);
    if (flips > 0) outcome = { ...outcome, flips: await flipsAfterRun(folder, flips, seed) };
  }
  if (options.powerCuts === 0) return outcome;
  return { ...outcome, powerCuts: await powerCuts(join(folder, "power-cuts"), options.powerCuts, seed, say) };
}

/** The system's state on a disk of its own, where a fault is to fill it. */
async function smallDisk(folder: string, { faults }: Options) {
  const isWanted = faults.includes("full-disk");
  const state = join(folder, "state");
  await mkdir(state);
  const isMissing = isWanted && !mountSmallDisk(state, smallDiskMegabytes);
  return {
    isMissing,
    async [Symbol.asyncDispose]() {
      if (isWanted && !isMissing) unmount(state);
    },
  };
}
