/**
 * When training ends since it has stopped to help. With `early_stopping_patience` 2 and `early_stopping_min_delta` 0.05:
 *
 *     micro-step    40    80   120   160   200
 *     nats         3.0   2.6  2.58  2.59  2.57
 *     improves     yes   yes    no    no         two in a row: decided by 160; the best is 120, lower than 80 if only by 0.02
 *
 * Results count by micro-step, whenever they arrive: what lies behind a checkpoint that is not measured yet waits for it, so
 * that the same results always decide the same. One whose evaluation failed is passed over. It knows no clock and no store.
 */
import { create } from "@bufbuild/protobuf";
import { checkpointName } from "@pretrain/checkpoint";
import { type EarlyStop, EarlyStopSchema } from "@pretrain/proto";

export interface EarlyStopping {
  /** Checkpoints in a row without an improvement; 0: never. */
  readonly patience: number;
  /** Nats per token by which a loss must be lower than the best one before to improve on it. */
  readonly minDelta: number;
}

export interface MeasuredCheckpoint {
  readonly microStep: number;
  /** Undefined while no evaluation of it has ended; its loss is undefined when the evaluation gave none. */
  readonly result: { readonly lossNatsPerToken: number | undefined } | undefined;
}

export interface EarlyStopDecision {
  /** Of the checkpoint whose result decided. */
  readonly microStep: number;
  /** Results in a row without an improvement. */
  readonly results: number;
  /** The lowest loss up to there; of equal ones the earliest. */
  readonly best: { readonly microStep: number; readonly lossNatsPerToken: number };
}

/** @param checkpoints those that count, by micro-step ascending   @returns undefined: training goes on */
export function earlyStop(
  checkpoints: readonly MeasuredCheckpoint[],
  { patience, minDelta }: EarlyStopping,
): EarlyStopDecision | undefined {
  if (patience === 0) return undefined;
  let best: EarlyStopDecision["best"] | undefined;
  let toBeat = Number.POSITIVE_INFINITY;
  let results = 0;
  for (const { microStep, result } of checkpoints) {
    if (result === undefined) return undefined;
    const { lossNatsPerToken } = result;
    if (lossNatsPerToken === undefined) continue;
    const isImproved = lossNatsPerToken < toBeat - minDelta;
    results = isImproved ? 0 : results + 1;
    if (isImproved) toBeat = lossNatsPerToken;
    if (best === undefined || lossNatsPerToken < best.lossNatsPerToken) best = { microStep, lossNatsPerToken };
    if (results === patience) return { microStep, results, best };
  }
  return undefined;
}

/** The decision as the experiment's record has it. @param experiment its id */
export function earlyStopFields(experiment: string, { microStep, results, best }: EarlyStopDecision): EarlyStop {
  return create(EarlyStopSchema, {
    microStep: BigInt(microStep),
    results,
    bestCheckpoint: checkpointName({ experiment, microStep: best.microStep }),
    bestLossNatsPerToken: best.lossNatsPerToken,
  });
}

/** For a person: what was decided, by which results, and which checkpoint to take. */
export function earlyStopText({ microStep, results, bestCheckpoint, bestLossNatsPerToken }: EarlyStop): string {
  const found = `${results} results in a row up to micro-step ${microStep} did not improve`;
  return `stopped early: ${found}; best is ${bestCheckpoint} with ${bestLossNatsPerToken.toFixed(4)} nats per token`;
}
