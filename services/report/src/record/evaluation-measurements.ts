/** What the evaluations of the checkpoints say about the run: the last checkpoint's numbers, and the best of all. */
import { type Evaluation, Evaluation_State } from "@pretrain/proto";
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import { type EvaluationNumbers, evaluationNumbers } from "./evaluation-numbers.ts";
import type { MeasuredRun, Measurement } from "./measurement.ts";
import { counted } from "./wording.ts";

export function evaluationMeasurements({ steps, checkpoints }: MeasuredRun): Record<string, Measurement> {
  const shown = lastEnded(checkpoints);
  const numbers = evaluationNumbers(shown?.evaluation);
  const lastLoss = steps.losses.last?.loss;
  const gap =
    lastLoss === undefined || numbers.inferenceLoss === undefined
      ? undefined
      : Math.abs(lastLoss - numbers.inferenceLoss);
  const overValidation = basisOf(
    shown,
    (evaluation) =>
      `${counted(evaluation.validationLoss?.tokens ?? 0n)} targets of ${counted(evaluation.validationRows)} rows`,
  );
  const overSamples = basisOf(
    shown,
    (evaluation) =>
      `${counted(evaluation.inferenceLoss?.tokens ?? 0n)} targets of ${counted(evaluation.samples.length)} samples`,
  );
  const source = "evaluation";
  const measured = (name: keyof EvaluationNumbers, basis: string): Measurement => ({
    final: numbers[name],
    best: smallest(checkpoints, name),
    basis,
    source,
  });
  return {
    "eval/loss": measured("loss", overValidation),
    "eval/inference_loss": measured("inferenceLoss", overSamples),
    "eval/perplexity": measured("perplexity", overValidation),
    "eval/bits_per_byte": measured("bitsPerByte", overValidation),
    "eval/train_inference_gap": { final: gap, basis: `train/loss and eval/inference_loss, ${overSamples}`, source },
    "eval/completion_rate": { final: numbers.completionRate, basis: overSamples, source },
    "eval/eos_rate": { final: numbers.eosRate, basis: overSamples, source },
  };
}

/** The last checkpoint whose evaluation has ended: while a run goes on, its last checkpoint is often still being measured. */
function lastEnded(checkpoints: readonly EvaluatedCheckpoint[]): EvaluatedCheckpoint | undefined {
  return checkpoints.findLast(({ evaluation }) => evaluation !== undefined);
}

function basisOf(shown: EvaluatedCheckpoint | undefined, over: (evaluation: Evaluation) => string): string {
  if (shown?.evaluation === undefined) return "no evaluation has ended";
  const at = `checkpoint of micro-step ${counted(shown.checkpoint.microStep)}`;
  if (shown.evaluation.state !== Evaluation_State.SUCCEEDED) return `${at}: its evaluation failed`;
  return `${over(shown.evaluation)}, ${at}`;
}

function smallest(checkpoints: readonly EvaluatedCheckpoint[], name: keyof EvaluationNumbers): Measurement["best"] {
  const measured = checkpoints.flatMap(({ checkpoint, evaluation }) => {
    const value = evaluationNumbers(evaluation)[name];
    return value === undefined ? [] : [{ value, microStep: Number(checkpoint.microStep), epoch: checkpoint.epoch }];
  });
  return measured.reduce<Measurement["best"]>(
    (best, next) => (best === undefined || next.value < best.value ? next : best),
    undefined,
  );
}
