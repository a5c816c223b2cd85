/**
 * What an evaluation beside a trainer costs both: the whole system runs, checkpoints are evaluated while training goes on, and the steps
 * during an evaluation are compared with those before and behind it. Then training ends, and the last checkpoint is evaluated again, alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type LocalSystem, startLocalSystem } from "@pretrain/cli";
import { connectBroker } from "@pretrain/events";
import { createLog } from "@pretrain/observability";
import { type Evaluation, EvaluatorService, Evaluation_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { BesideOptions } from "./beside-options.ts";
import { hashedTokens } from "./contenders/hashed.ts";
import { median } from "./statistics.ts";
import { models } from "./workload.ts";

/** When something began and ended, in milliseconds of one clock. */
export interface Span {
  readonly beginMs: number;
  readonly endMs: number;
}

export interface BesideFigures {
  /** Medians of steps that were wholly in an evaluation, and wholly in none. */
  readonly step_seconds_beside: number;
  readonly step_seconds_alone: number;
  readonly steps_beside: number;
  readonly steps_alone: number;
  /** From the begin of its measuring to its end: while training went on, and after it had ended. The first one, which traces, is left out. */
  readonly evaluation_seconds_beside: readonly number[];
  readonly evaluation_seconds_alone: number;
}

/** Evaluations beside training: the first traces, the others are measured. */
const evaluationsBeside = 4;

export async function beside(options: BesideOptions, tell: (line: string) => void): Promise<BesideFigures> {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-beside-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  writeTexts(folder, options);
  const environment = {
    PRETRAIN_EVALUATION_NICENESS: String(options.niceness),
    PRETRAIN_EVALUATION_THREADS: String(options.threads),
    PRETRAIN_WORKER_IDLE_MS: "600000", // one process computes all evaluations
  };
  const stateDirectory = join(folder, "state");
  const system = running.use(
    await startLocalSystem({ stateDirectory, dataRoots: [folder], ports: "free", environment }),
  );
  const steps: Span[] = [];
  running.use(await collectSteps(system, steps));
  const evaluator = running.use(connectClient(EvaluatorService, system.addresses.evaluator));
  const trainer = running.use(connectClient(TrainerService, system.addresses.trainer));
  const { name } = await trainer.startExperiment({ experimentId: "beside", recipe: recipeOf(options) });
  const evaluated = (count: number) => ended(evaluator, name, count, () => tell(`${steps.length} steps`));
  const during = await evaluated(evaluationsBeside);
  await trainer.cancelExperiment({ name });
  const [checkpoint = ""] = during.map((evaluation) => evaluation.checkpoint);
  await evaluator.evaluateCheckpoint({
    checkpoint,
    settings: { ...evaluationOf, batchRows: evaluationOf.batchRows + 1 },
  });
  const [alone] = (await evaluated(evaluationsBeside + 1)).filter(
    ({ name }) => !during.some((each) => each.name === name),
  );
  return figures(steps, during.map(spanOf), spanOf(alone));
}

export function figures(steps: readonly Span[], during: readonly Span[], alone: Span): BesideFigures {
  const seconds = ({ beginMs, endMs }: Span) => (endMs - beginMs) / 1000;
  const known = steps.slice(2); // the first ones trace
  const isWithin = (step: Span) => during.some(({ beginMs, endMs }) => step.beginMs >= beginMs && step.endMs <= endMs);
  const touches = (step: Span) => during.some(({ beginMs, endMs }) => step.endMs > beginMs && step.beginMs < endMs);
  const [inside, outside] = [known.filter(isWithin), known.filter((step) => !touches(step))];
  return {
    step_seconds_beside: median(inside.map(seconds)),
    step_seconds_alone: median(outside.map(seconds)),
    steps_beside: inside.length,
    steps_alone: outside.length,
    evaluation_seconds_beside: during.slice(1).map(seconds),
    evaluation_seconds_alone: seconds(alone),
  };
}

export function besideTable(found: BesideFigures): string {
  const times = (ratio: number) => `${ratio.toFixed(2)} times`;
  const { step_seconds_alone, step_seconds_beside, evaluation_seconds_alone, evaluation_seconds_beside } = found;
  const evaluation = median(evaluation_seconds_beside);
  return [
    `a step alone                       ${step_seconds_alone.toFixed(3)} s (median of ${found.steps_alone})`,
    `a step beside an evaluation        ${step_seconds_beside.toFixed(3)} s (median of ${found.steps_beside}), ${times(step_seconds_beside / step_seconds_alone)}`,
    `an evaluation alone                ${evaluation_seconds_alone.toFixed(1)} s`,
    `an evaluation beside training      ${evaluation.toFixed(1)} s, ${times(evaluation / evaluation_seconds_alone)}`,
  ].join("\n");
}

const evaluationOf = { samples: 1, inputLength: 20, predictLength: 20, batchRows: 8 };

export function recipeOf({ model, rows, saveInterval }: BesideOptions) {
  const { sequence, vocab_size: vocabSize, dim, n_layers, n_heads, n_kv_heads, hidden_dim: hiddenDim } = models[model];
  const sizes = { vocabSize, dim, nLayers: n_layers, nHeads: n_heads, nKvHeads: n_kv_heads, hiddenDim };
  return {
    model: { ...sizes, maxSeqLen: sequence },
    data: { path: "training.jsonl", validationPath: "validation.jsonl", validationEvery: 0 },
    training: {
      epochs: 100,
      batchSize: rows,
      accumulationSteps: 1,
      learningRate: 2e-4,
      dtype: "float32",
      saveInterval,
    },
    evaluation: evaluationOf,
  };
}

/** Rows of made-up words, each longer than the model reads; of both texts other ones. */
export function writeTexts(folder: string, { model, validationRows }: BesideOptions): void {
  const { sequence } = models[model];
  const rowsFrom = (first: number, rows: number) =>
    Array.from({ length: rows }, (_, row) => {
      const words = hashedTokens((first + row) * sequence, sequence, 17_000);
      return `${JSON.stringify({ text: Array.from(words, wordOf).join(" ") })}\n`;
    }).join("");
  writeFileSync(join(folder, "training.jsonl"), rowsFrom(0, 800));
  writeFileSync(join(folder, "validation.jsonl"), rowsFrom(800, validationRows));
}

/** Three letters. */
function wordOf(number: number): string {
  return [0, 1, 2].map((place) => String.fromCharCode(97 + (Math.floor(number / 26 ** place) % 26))).join("");
}

export async function collectSteps(system: LocalSystem, steps: Span[]): Promise<AsyncDisposable> {
  const broker = await connectBroker({ url: system.natsUrl, name: "bench", log: createLog("bench", "error") });
  await broker.consume("PRETRAIN_METRICS", { durable: "bench", batch: 100 }, async (batch) => {
    for (const { kind, message } of batch) {
      if (kind !== "step" || message.time === undefined) continue;
      const endMs = timestampMs(message.time);
      steps.push({ beginMs: endMs - (message.times?.totalMs ?? 0), endMs });
    }
  });
  return broker;
}

/** So many evaluations when they have ended, the earliest first. @throws Error for one that did not succeed */
async function ended(
  evaluator: { listEvaluations(request: { experiment: string }): Promise<{ evaluations: Evaluation[] }> },
  experiment: string,
  count: number,
  onLook: () => void,
): Promise<readonly Evaluation[]> {
  for (;;) {
    const { evaluations } = await evaluator.listEvaluations({ experiment });
    const over = evaluations.filter(({ endTime }) => endTime !== undefined);
    const failed = over.find(({ state }) => state !== State.SUCCEEDED);
    if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error}`);
    if (over.length >= count) return over.toSorted((a, b) => spanOf(a).endMs - spanOf(b).endMs).slice(0, count);
    onLook();
    await pause(1_000);
  }
}

function spanOf(evaluation: Evaluation | undefined): Span {
  const { startTime, endTime } = evaluation ?? {};
  if (startTime === undefined || endTime === undefined) throw new Error("an evaluation that has ended has both times");
  return { beginMs: timestampMs(startTime), endMs: timestampMs(endTime) };
}
