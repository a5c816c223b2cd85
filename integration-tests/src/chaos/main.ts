/**
 * `pnpm chaos --rounds N [--seed S] [--faults a,b] [--flips N] [--power-cuts N]`: hurts the running system N times and looks
 * whether the promise was kept; then flips bits in what it has left on the disk, and cuts the power of a program that writes.
 * `pnpm chaos --mutant fsync|…|all` shows that it would notice.
 * Prints a table, and last one line of JSON; exit code 1 when the promise was broken.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "@pretrain/errors";
import { runMutants } from "./mutants/run-mutants.ts";
import { readOptions, usage } from "./options.ts";
import { perform } from "./perform.ts";
import { currentCommit, isKept, summary, table } from "./summary.ts";

const options = readOptions(process.argv.slice(2));
if (typeof options === "string") {
  console.error(`chaos: ${options}\n${usage}`);
  process.exit(2);
}
if (options.mutants.length > 0) process.exit(runMutants(options.mutants, (line) => console.log(line)) ? 0 : 1);
const { seed, keep } = options;
const folder = await mkdtemp(join(tmpdir(), "pretrain-chaos-"));
console.log(`SEED=${seed} COMMIT=${currentCommit()}`);
try {
  const startedMs = performance.now();
  const outcome = await perform(folder, options, (line) => console.log(line));
  console.log(table(outcome, performance.now() - startedMs));
  console.log(JSON.stringify(summary(outcome, seed)));
  if (!isKept(outcome)) process.exitCode = 1;
} catch (error) {
  console.log(`FAILED with SEED=${seed}: ${messageOf(error)}`);
  process.exitCode = 1;
}
if (keep || process.exitCode === 1) console.log(`everything it wrote lies in ${folder}`);
else await rm(folder, { recursive: true, force: true });
