/** What the evaluations of the checkpoints say about the run: the last checkpoint's numbers, and the best of all. */
import { type Evaluation, Evaluation_State } from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import { type EvaluationNumbers, evaluationNumbers } from "./evaluation-numbers.ts";
import type { MeasuredRun, Measurement } from "./measurement.ts";
import { counted } from "./wording.ts";

export function evaluationMeasurements({ steps, checkpoints }: MeasuredRun): Record<string, Measurement> {
  const shown = lastEnded(checkpoints);
  const numbers = evaluationNumbers(shown?.evaluation);
  const measured = Object.entries(evaluationMetrics).map(([metric, { number, over }]): [string, Measurement] => {
    const final = numbers[number];
    return [metric, { final, best: best(checkpoints, metric, number), basis: basisOf(shown, over), source }];
  });
  return { ...Object.fromEntries(measured), [gapMetric]: gap(steps.losses.last?.loss, numbers.inferenceLoss, shown) };
}

const source = "evaluation";
const gapMetric = "eval/train_inference_gap";

/** Which number of an evaluation each metric is, and what that is computed over. */
export const evaluationMetrics: Readonly<
  Record<string, { readonly number: keyof EvaluationNumbers; readonly over: (evaluation: Evaluation) => string }>
> = {
  "eval/loss": { number: "loss", over: overTargets },
  "eval/inference_loss": { number: "inferenceLoss", over: overSamples },
  "eval/perplexity": { number: "perplexity", over: overTargets },
  "eval/bits_per_byte": { number: "bitsPerByte", over: ({ validationBytes }) => `${counted(validationBytes)} bytes` },
  "eval/bits_per_character": {
    number: "bitsPerCharacter",
    over: ({ validationCharacters }) => `${counted(validationCharacters)} characters`,
  },
  "eval/top1_accuracy": { number: "top1Accuracy", over: overTargets },
  "eval/calibration_error": { number: "calibrationError", over: overTargets },
  "eval/train_overlap": {
    number: "trainOverlap",
    over: ({ overlap }) => `${counted(overlap?.validationRuns ?? 0n)} runs of ${overlap?.runTokens ?? 0} tokens`,
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
  const basis = `train/loss and eval/inference_loss, ${basisOf(shown, overSamples)}`;
  const isKnown = trainLoss !== undefined && inferenceLoss !== undefined;
  return { final: isKnown ? Math.abs(trainLoss - inferenceLoss) : undefined, basis, source };
}

/** The last checkpoint whose evaluation has ended: while a run goes on, its last checkpoint is often still being measured. */
function lastEnded(checkpoints: readonly EvaluatedCheckpoint[]): EvaluatedCheckpoint | undefined {
  return checkpoints.findLast(({ evaluation }) => evaluation !== undefined);
}

function basisOf(shown: EvaluatedCheckpoint | undefined, over: (evaluation: Evaluation) => string): string {
  if (shown?.evaluation === undefined) return "no evaluation has ended";
  const at = `checkpoint of micro-step ${counted(shown.checkpoint.microStep)}`;
  if (shown.evaluation.state === Evaluation_State.FAILED_CERTIFICATION) return `${at}: not certified`;
  if (shown.evaluation.state !== Evaluation_State.SUCCEEDED) return `${at}: its evaluation failed`;
  return `${over(shown.evaluation)}, ${at}`;
}

function overTargets({ validationLoss, validationRows }: Evaluation): string {
  return `${counted(validationLoss?.tokens ?? 0n)} targets of ${counted(validationRows)} rows`;
}

function overSamples({ inferenceLoss, samples }: Evaluation): string {
  return `${counted(inferenceLoss?.tokens ?? 0n)} targets of ${counted(samples.length)} samples`;
}

function overContinuations({ generation }: Evaluation): string {
  return `${counted(generation?.generatedTokens ?? 0n)} tokens of ${counted(generation?.samples ?? 0n)} continuations`;
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
