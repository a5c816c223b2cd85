/** `pnpm bench`: the project beside its peers, in one run. Prints a table and, as the last line, one JSON object. */
import { loadavg } from "node:os";
import { beside, besideTable } from "./beside.ts";
import { type BesideOptions, readBesideOptions } from "./beside-options.ts";
import { checkpoint, checkpointTable } from "./checkpoint.ts";
import { curves, curvesTable, readCurvesOptions } from "./curves.ts";
import { entrantsOf } from "./entrants.ts";
import { comparisonTable, holds } from "./exported/comparison.ts";
import { exportedCheckpoints } from "./exported/export.ts";
import { ledger, ledgerTable, readLedgerOptions } from "./ledger.ts";
import { logging, readLoggingOptions } from "./logging.ts";
import { measure } from "./measure.ts";
import { multipliedWeights, scoringOperationsPerToken, trainingOperationsPerToken } from "./needed-operations.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { ensurePeers } from "./peers.ts";
import { processor } from "./processor.ts";
import type { Precision } from "./protocol.ts";
import { queue, queueTable, readQueueOptions } from "./queue.ts";
import { resume, resumptionTable } from "./resume.ts";
import { readRpcOptions, rpc, rpcTable } from "./rpc.ts";
import { summary } from "./summary.ts";
import { table } from "./table.ts";
import { readWatchersOptions, watchers, watchersTable } from "./watchers.ts";
import { configOf, models, rowLengths, type Work } from "./workload.ts";

const parameters = process.argv.slice(2);
if (parameters[0] === "queue") await understood(() => readQueueOptions(parameters.slice(1)), benchOfQueue);
else if (parameters[0] === "export" && parameters.length === 1) await benchOfExport();
else if (parameters[0] === "logging") await understood(() => readLoggingOptions(parameters.slice(1)), benchOfLogging);
else if (parameters[0] === "watchers")
  await understood(() => readWatchersOptions(parameters.slice(1)), benchOfWatchers);
else if (parameters[0] === "beside") await understood(() => readBesideOptions(parameters.slice(1)), benchOfBeside);
else if (parameters[0] === "curves") await understood(() => readCurvesOptions(parameters.slice(1)), benchOfCurves);
else if (parameters[0] === "rpc") await understood(() => readRpcOptions(parameters.slice(1)), benchOfRpc);
else if (parameters[0] === "ledger") await understood(() => readLedgerOptions(parameters.slice(1)), benchOfLedger);
else await understood(() => readOptions(parameters), bench);

async function understood<Read>(read: () => Read, run: (options: Read) => Promise<void>): Promise<void> {
  const options = readable(read);
  if (options === undefined) process.exitCode = 2;
  else await run(options);
}

function readable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${usage}\n`);
    return undefined;
  }
}

async function bench({ bench: name, work, precisions, rounds, eager }: Options): Promise<void> {
  if (name === "resume") return await benchOfResume(work, precisions, rounds);
  if (name === "checkpoint") return await benchOfCheckpoint(work, precisions, rounds);
  ensurePeers();
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  const measurement = await measure(entrantsOf(name, precisions, eager), work, rounds, tell);
  const found = summary(measurement, (precision) => gigaPerToken(name, work.model, precision));
  const cpu = processor();
  console.log(`${name}, ${work.model}, ${rounds} rounds of ${measurement.units}; ${cpu.threads} threads, ${cpu.model}`);
  console.log(`features: ${cpu.features.join(" ")}\n\n${table(found)}`);
  const precision = precisions.length > 1 ? "all" : precisions[0];
  console.log(JSON.stringify({ bench: name, ...work, cpu, precision, rounds, units: measurement.units, ...found }));
}

async function benchOfQueue({ experiments }: { readonly experiments: number }): Promise<void> {
  const cpu = processor();
  const load = loadavg()[0]?.toFixed(1);
  const found = await queue(experiments, (line) => process.stderr.write(`${line}\n`));
  console.log(`queue, ${experiments} experiments; load before ${load}; ${cpu.model}\n\n${queueTable(found)}\n`);
  console.log(JSON.stringify({ bench: "queue", cpu, load, ...found }));
}

async function benchOfRpc({ rounds }: { readonly rounds: number }): Promise<void> {
  const cpu = processor();
  const load = loadavg()[0]?.toFixed(1);
  const found = await rpc(rounds, (line) => process.stderr.write(`${line}\n`));
  console.log(`rpc, ${rounds} rounds; load before ${load}; ${cpu.model}\n\n${rpcTable(found)}\n`);
  console.log(JSON.stringify({ bench: "rpc", cpu, load, ...found }));
}

async function benchOfCurves({ steps }: { readonly steps: number }): Promise<void> {
  const cpu = processor();
  const load = loadavg()[0]?.toFixed(1);
  const found = await curves(steps, (line) => process.stderr.write(`${line}\n`));
  console.log(`curves, ${steps} micro-steps; load before ${load}; ${cpu.model}\n\n${curvesTable(found)}\n`);
  console.log(JSON.stringify({ bench: "curves", cpu, load, ...found }));
}

async function benchOfLedger({ events }: { readonly events: number }): Promise<void> {
  const cpu = processor();
  const load = loadavg()[0]?.toFixed(1);
  const found = await ledger(events, (line) => process.stderr.write(`${line}\n`));
  console.log(`ledger, ${events} events; load before ${load}; ${cpu.model}\n\n${ledgerTable(found)}\n`);
  console.log(JSON.stringify({ bench: "ledger", cpu, load, ...found }));
}

async function benchOfBeside(options: BesideOptions): Promise<void> {
  const cpu = processor();
  const found = await beside(options, (line) => process.stderr.write(`${line}\n`));
  const { model, niceness, threads } = options;
  console.log(`beside, ${model}, niceness ${niceness}, threads ${threads}; ${cpu.model}\n\n${besideTable(found)}\n`);
  console.log(JSON.stringify({ bench: "beside", ...options, cpu, ...found }));
}

async function benchOfLogging({ steps }: { readonly steps: number }): Promise<void> {
  const found = await logging(steps);
  const shown = found.microseconds_per_step.map((cost) => cost.toFixed(1)).join(", ");
  console.log(
    `logging, ${steps} steps a round; ${processor().model}\n\nmicroseconds of the computing process for a step: ${shown}\n`,
  );
  console.log(JSON.stringify({ bench: "logging", cpu: processor(), ...found }));
}

async function benchOfWatchers({ watchers: count }: { readonly watchers: number }): Promise<void> {
  const found = await watchers(count, (line) => process.stderr.write(`${line}\n`));
  console.log(`watchers; ${processor().model}\n\n${watchersTable(found)}\n`);
  console.log(JSON.stringify({ bench: "watchers", cpu: processor(), ...found }));
}

async function benchOfExport(): Promise<void> {
  ensurePeers();
  const comparisons = await exportedCheckpoints((line) => process.stderr.write(`${line}\n`));
  console.log(`export; ${processor().model}\n\n${comparisonTable(comparisons)}\n`);
  console.log(JSON.stringify({ bench: "export", cpu: processor(), comparisons }));
  if (!comparisons.every(holds)) process.exitCode = 1;
}

async function benchOfCheckpoint(work: Work, precisions: readonly Precision[], rounds: number): Promise<void> {
  const cpu = processor();
  for (const precision of precisions) {
    const found = await checkpoint(configOf(work, precision, ""), rounds);
    console.log(`checkpoint, ${work.model}, ${precision}; ${cpu.model}\n\n${checkpointTable(found)}\n`);
    console.log(JSON.stringify({ bench: "checkpoint", ...work, cpu, precision, rounds, ...found }));
  }
}

async function benchOfResume(work: Work, precisions: readonly Precision[], rounds: number): Promise<void> {
  const cpu = processor();
  for (const precision of precisions) {
    const found = await resume(configOf(work, precision, ""), rounds);
    console.log(`resume, ${work.model}, ${precision}, ${rounds} rounds; ${cpu.model}\n\n${resumptionTable(found)}\n`);
    console.log(JSON.stringify({ bench: "resume", ...work, cpu, precision, rounds, ...found }));
  }
}

/** Operations for products; for generation bytes: each token reads all weights once. */
function gigaPerToken(name: "step" | "score" | "generate", model: Options["work"]["model"], precision: Precision) {
  const { sequence, ...sizes } = models[model];
  if (name === "step") return trainingOperationsPerToken(sizes, sequence) / 1e9;
  if (name === "score") return scoringOperationsPerToken(sizes, rowLengths(sequence)) / 1e9;
  return (multipliedWeights(sizes) * (precision === "float32" ? 4 : 2)) / 1e9;
}
