/**
 * All that can be checked without running the program: one line for each check, the whole output of those that fail, exit code
 * 1 if there is one. `npm test` runs this before the tests; `pnpm run static` runs it alone.
 */
import { availableParallelism } from "node:os";
import { checkBreaking } from "./breaking-contracts.ts";
import { type Outcome, runProgram } from "./checkout.ts";
import { checkRights } from "./contract-rights.ts";

interface Check {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

const packages = ["libs", "services", "cli", "setup", "proto", "integration-tests", "bench/src", "deploy/src"];

/** The slowest first, so that the last one to end is a short one. */
const checks: readonly Check[] = [
  program("types", "tsc", "-p", "."),
  program("types of the page", "tsc", "-p", "services/report/page"),
  program("lint", "oxlint", "--type-aware"),
  program("import rules", "depcruise", "--config", ".dependency-cruiser.cjs", ...packages),
  program("unused code", "knip", "--no-progress"),
  { name: "contracts: compatible", run: () => checkBreaking() },
  { name: "contracts: rights", run: () => checkRights() },
  program("contracts: lint", "buf", "lint"),
  program("contracts: format", "buf", "format", "--diff", "--exit-code", "--path", "proto/pretrain"),
  program("format, order of imports", "biome", "check", "--linter-enabled=false", "."),
];

function program(name: string, file: string, ...parameters: readonly string[]): Check {
  return { name, run: () => runProgram(file, parameters) };
}

/** @returns whether the check passed */
async function perform({ name, run }: Check): Promise<boolean> {
  const startedMs = performance.now();
  const { code, output } = await run();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok  " : "FAIL"}  ${name.padEnd(26)} ${seconds} s`);
  if (code !== 0) console.log(`\n${output.trim()}\n`);
  return code === 0;
}

/** Takes the next check as long as there is one; two such workers share the queue, as each check keeps one or two cores busy. */
async function work(queue: Check[], passed: boolean[]): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) passed.push(await perform(check));
}

const queue = [...checks];
const passed: boolean[] = [];
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, () => work(queue, passed)));
if (passed.includes(false)) process.exitCode = 1;
