/**
 * `pnpm pool --experiments 100 --nodes 8 [--seed S] [--faults N]`: experiments on a pool of nodes with one GPU each, which vanish, are
 * drained and are cut off. Workers are started by the queues' length, as KEDA does it, and end when there is nothing left.
 * Prints what happens, and last one line of JSON; exit code 1 when something was lost, or two workers were on one GPU.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "@pretrain/errors";
import { readOptions, usage } from "./options.ts";
import { runPool } from "./run-pool.ts";
import { isKept, summary } from "./verdict.ts";

const options = readOptions(process.argv.slice(2));
if (typeof options === "string") {
  console.error(`pool: ${options}\n${usage}`);
  process.exit(2);
}
const { seed, keep } = options;
const folder = await mkdtemp(join(tmpdir(), "pretrain-pool-"));
console.log(`SEED=${seed}`);
try {
  const outcome = await runPool(folder, options, (line) => console.log(line));
  for (const line of Object.values(outcome.wrong).flat().slice(0, 50)) console.log(`FOUND  ${line}`);
  console.log(JSON.stringify(summary(outcome, seed)));
  if (!isKept(outcome)) process.exitCode = 1;
} catch (error) {
  console.log(`FAILED with SEED=${seed}: ${messageOf(error)}`);
  process.exitCode = 1;
}
if (keep || process.exitCode === 1) console.log(`everything it wrote lies in ${folder}`);
else await rm(folder, { recursive: true, force: true });
