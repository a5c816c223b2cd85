/** QueryMetrics of a long run, asked of the real process: the first answer after a start, and those after it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { type Milliseconds, spread } from "./queue.ts";
import { type ReportProcess, startReport } from "./report-process.ts";

export interface CurveFigures {
  readonly steps: number;
  /** Everything that the first question after a start waits for. */
  readonly first_answer_ms: number;
  readonly questions: readonly ({ readonly name: string } & Milliseconds)[];
}

const points = 2000;
const repetitions = 30;
const experiment = "experiments/long";
const overSteps = [
  "train/loss",
  "train/lr",
  "train/grad_norm",
  "perf/tokens_per_second",
  "perf/forward_backward_seconds",
  "perf/optimizer_seconds",
  "perf/other_seconds",
  "perf/data_wait_seconds",
];

export function readCurvesOptions(parameters: readonly string[]): { readonly steps: number } {
  const { values } = parseArgs({
    args: [...parameters],
    options: { steps: { type: "string", default: "173385" } },
  });
  const steps = Number(values.steps);
  if (Number.isInteger(steps) && steps >= 1000 && steps <= 4_000_000) return { steps };
  throw new RangeError(`--steps is ${values.steps}; it must be a whole number from 1000 to 4000000`);
}

export async function curves(steps: number, tell: (line: string) => void): Promise<CurveFigures> {
  await ensureNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "pretrain-curves-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  writeRun(join(folder, "state"), steps);
  tell(`${steps} micro-steps are in the ledger`);
  const broker = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const report = running.use(await startReport(broker.url, folder));
  const whole = { metrics: ["train/loss"], fromMicroStep: 0n, toMicroStep: 0n, smoothing: 0 };
  const middle = { fromMicroStep: BigInt(Math.floor(0.45 * steps)), toMicroStep: BigInt(Math.floor(0.55 * steps)) };
  const first_answer_ms = await timed(report, whole);
  tell(`first answer: ${first_answer_ms.toFixed(0)} ms`);
  const questions = [
    { name: "the loss", ...whole },
    { name: "the loss of the middle tenth", ...whole, ...middle },
    { name: "the loss with a moving average", ...whole, smoothing: 0.999 },
    { name: "eight curves", ...whole, metrics: overSteps },
  ];
  const found: ({ readonly name: string } & Milliseconds)[] = [];
  for (const { name, ...question } of questions) {
    const times: number[] = [];
    for (let look = 0; look < repetitions; look += 1) times.push(await timed(report, question));
    found.push({ name, ...spread(times) });
  }
  return { steps, first_answer_ms, questions: found };
}

interface Question {
  readonly metrics: readonly string[];
  readonly fromMicroStep: bigint;
  readonly toMicroStep: bigint;
  readonly smoothing: number;
}

async function timed({ client }: ReportProcess, { metrics, ...question }: Question): Promise<number> {
  const began = performance.now();
  await client.queryMetrics({ experiment, metrics: [...metrics], maxPoints: points, ...question });
  return performance.now() - began;
}

function writeRun(state: string, steps: number): void {
  const program = fileURLToPath(new URL("../../services/report/src/test-support/write-long-run.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, [program, state, String(steps)], { stdio: "inherit" });
  if (status !== 0) throw new Error(`the ledger could not be filled: exit code ${status}`);
}

export function curvesTable({ first_answer_ms, questions }: CurveFigures): string {
  const rows = questions.map(
    ({ name, p50, p95, max }) => `${name.padEnd(34)} ${p50.toFixed(1)} / ${p95.toFixed(1)} / ${max.toFixed(1)} ms`,
  );
  return [
    `the first question after a start   ${first_answer_ms.toFixed(0)} ms`,
    `${points} points, p50 / p95 / longest of ${repetitions}:`,
    ...rows,
  ].join("\n");
}
