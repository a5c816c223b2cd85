/** The numbers of one evaluation, computed again from its sums: never copied. */

import { bitsPerByte, type LossTotal, meanNatsPerToken, perplexity } from "@pretrain/measures";
import { type Evaluation, Evaluation_State, type Loss } from "@pretrain/proto";

export interface EvaluationNumbers {
  /** Validation loss, in nats per token. */
  readonly loss: number | undefined;
  /** Teacher-forced loss of the samples, in nats per token. */
  readonly inferenceLoss: number | undefined;
  readonly perplexity: number | undefined;
  readonly bitsPerByte: number | undefined;
  /** Tokens generated over tokens asked for. */
  readonly completionRate: number | undefined;
  /** Continuations that ended with eos over all. */
  readonly eosRate: number | undefined;
}

const nothing: EvaluationNumbers = {
  loss: undefined,
  inferenceLoss: undefined,
  perplexity: undefined,
  bitsPerByte: undefined,
  completionRate: undefined,
  eosRate: undefined,
};

/** A failed evaluation has no numbers. */
export function evaluationNumbers(evaluation: Evaluation | undefined): EvaluationNumbers {
  if (evaluation?.state !== Evaluation_State.SUCCEEDED) return nothing;
  const { validationLoss, inferenceLoss, generation } = evaluation;
  return {
    loss: meanNatsPerToken(totalOf(validationLoss)),
    inferenceLoss: meanNatsPerToken(totalOf(inferenceLoss)),
    perplexity: perplexity(totalOf(validationLoss)),
    // A marker's loss is in the sum, and it has no bytes.
    bitsPerByte: bitsPerByte({ nats: validationLoss?.nats ?? 0, bytes: Number(evaluation.validationBytes) }),
    completionRate: generation && ratio(generation.generatedTokens, generation.requestedTokens),
    eosRate: generation && ratio(generation.eosFound, generation.samples),
  };
}

/** A loss that is not there is a sum of nothing. */
export function totalOf(loss: Loss | undefined): LossTotal {
  return { nats: loss?.nats ?? 0, tokens: Number(loss?.tokens ?? 0n) };
}

function ratio(part: bigint, whole: bigint): number | undefined {
  return whole === 0n ? undefined : Number(part) / Number(whole);
}
