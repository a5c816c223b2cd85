/** What the evaluations of the checkpoints say about the run: the last checkpoint's numbers, and the best of all. */
import { type Evaluation, Evaluation_State, type Interval, Basis_Over as Over } from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import { type EvaluationNumbers, evaluationNumbers } from "./evaluation-numbers.ts";
import type { MeasuredRun, Measurement } from "./measurement.ts";

export function evaluationMeasurements({ steps, checkpoints }: MeasuredRun): Record<string, Measurement> {
  const shown = lastEnded(checkpoints);
  const numbers = evaluationNumbers(shown?.evaluation);
  const measured = Object.entries(evaluationMetrics).map(([metric, { number, over }]): [string, Measurement] => {
    const final = numbers[number];
    const interval = final !== undefined && shown?.evaluation ? intervals[metric]?.(shown.evaluation) : undefined;
    const basis = basisOf(shown, over, final !== undefined);
    return [metric, { final, best: best(checkpoints, metric, number), interval, basis, source }];
  });
  return { ...Object.fromEntries(measured), [gapMetric]: gap(steps.losses.last?.loss, numbers.inferenceLoss, shown) };
}

const source = "evaluation";
const gapMetric = "eval/train_inference_gap";

/** Of the numbers that the evaluator resampled. An end of a bootstrap's interval is a quantile, and exp keeps the order. */
const intervals: Readonly<Record<string, (evaluation: Evaluation) => Measurement["interval"]>> = {
  "eval/loss": ({ validationInterval }) => validationInterval,
  "eval/inference_loss": ({ inferenceInterval }) => inferenceInterval,
  "eval/perplexity": ({ validationInterval }) => validationInterval && exponential(validationInterval),
};

function exponential({ low, high, resamples, seed }: Interval): Measurement["interval"] {
  return { low: Math.exp(low), high: Math.exp(high), resamples, seed };
}

/** Which number of an evaluation each metric is, and what that is computed over. */
export const evaluationMetrics: Readonly<
  Record<
    string,
    { readonly number: keyof EvaluationNumbers; readonly over: (evaluation: Evaluation) => Measurement["basis"] }
  >
> = {
  "eval/loss": { number: "loss", over: overTargets },
  "eval/inference_loss": { number: "inferenceLoss", over: overSamples },
  "eval/perplexity": { number: "perplexity", over: overTargets },
  "eval/bits_per_byte": {
    number: "bitsPerByte",
    over: ({ validationBytes }) => ({ over: Over.BYTES, count: validationBytes }),
  },
  "eval/bits_per_character": {
    number: "bitsPerCharacter",
    over: ({ validationCharacters }) => ({ over: Over.CHARACTERS, count: validationCharacters }),
  },
  "eval/top1_accuracy": { number: "top1Accuracy", over: overTargets },
  "eval/calibration_error": { number: "calibrationError", over: overTargets },
  "eval/train_overlap": {
    number: "trainOverlap",
    over: ({ overlap }) => ({
      over: Over.RUNS,
      count: overlap?.validationRuns ?? 0n,
      tokens: BigInt(overlap?.runTokens ?? 0),
    }),
  },
  "eval/completion_rate": { number: "completionRate", over: overContinuations },
  "eval/eos_rate": { number: "eosRate", over: overContinuations },
  "eval/distinct_2": { number: "distinct2", over: overContinuations },
  "eval/repetition_4": { number: "repetition4", over: overContinuations },
  "eval/bleu": { number: "bleu", over: overContinuations },
  "eval/chrf": { number: "chrf", over: overContinuations },
};

function gap(
  trainLoss: number | undefined,
  inferenceLoss: number | undefined,
  shown: EvaluatedCheckpoint | undefined,
): Measurement {
  const isKnown = trainLoss !== undefined && inferenceLoss !== undefined;
  const basis = basisOf(shown, (evaluation) => ({ ...overSamples(evaluation), over: Over.TWO_LOSSES }), isKnown);
  return { final: isKnown ? Math.abs(trainLoss - inferenceLoss) : undefined, basis, source };
}

/** The last checkpoint whose evaluation has ended: while a run goes on, its last checkpoint is often still being measured. */
function lastEnded(checkpoints: readonly EvaluatedCheckpoint[]): EvaluatedCheckpoint | undefined {
  return checkpoints.findLast(({ evaluation }) => evaluation !== undefined);
}

/** A number that an evaluation which ended well does not have was not measured: it has no basis, and not one of 0 targets. */
function basisOf(
  shown: EvaluatedCheckpoint | undefined,
  over: (evaluation: Evaluation) => Measurement["basis"],
  isMeasured: boolean,
): Measurement["basis"] {
  if (shown?.evaluation === undefined) return {};
  const at = { checkpointMicroStep: shown.checkpoint.microStep };
  if (shown.evaluation.state === Evaluation_State.FAILED_CERTIFICATION) return { over: Over.NOT_CERTIFIED, ...at };
  if (shown.evaluation.state !== Evaluation_State.SUCCEEDED) return { over: Over.FAILED_EVALUATION, ...at };
  return isMeasured ? { ...over(shown.evaluation), ...at } : {};
}

function overTargets({ validationLoss, validationRows }: Evaluation): Measurement["basis"] {
  return { over: Over.TARGETS, tokens: validationLoss?.tokens ?? 0n, count: validationRows };
}

function overSamples({ inferenceLoss, samples }: Evaluation): Measurement["basis"] {
  return { over: Over.SAMPLES, tokens: inferenceLoss?.tokens ?? 0n, count: BigInt(samples.length) };
}

function overContinuations({ generation }: Evaluation): Measurement["basis"] {
  return { over: Over.CONTINUATIONS, tokens: generation?.generatedTokens ?? 0n, count: generation?.samples ?? 0n };
}

/** Where the metric knows better from worse. Of equal ones the first. */
function best(
  checkpoints: readonly EvaluatedCheckpoint[],
  metric: string,
  number: keyof EvaluationNumbers,
): Measurement["best"] {
  const better = metricNamed(metric)?.better ?? "neither";
  if (better === "neither") return undefined;
  const sign = better === "lower" ? 1 : -1;
  const measured = checkpoints.flatMap(({ checkpoint, evaluation }) => {
    const value = evaluationNumbers(evaluation)[number];
    return value === undefined ? [] : [{ value, microStep: Number(checkpoint.microStep), epoch: checkpoint.epoch }];
  });
  return measured.reduce<Measurement["best"]>(
    (found, next) => (found === undefined || sign * next.value < sign * found.value ? next : found),
    undefined,
  );
}
