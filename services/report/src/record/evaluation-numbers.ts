/** The numbers of one evaluation, computed again from its sums and counts: never copied. */
import {
  bitsPerByte,
  bitsPerCharacter,
  expectedCalibrationError,
  type LossTotal,
  meanNatsPerToken,
  perplexity,
  top1Accuracy,
} from "@pretrain/measures";
import { type Evaluation, Evaluation_State, type Loss, type RunCount } from "@pretrain/proto";

/** Undefined is what was not measured, or has nothing to be computed over. */
export interface EvaluationNumbers {
  /** Validation loss, in nats per token. */
  readonly loss: number | undefined;
  /** Teacher-forced loss of the samples, in nats per token. */
  readonly inferenceLoss: number | undefined;
  readonly perplexity: number | undefined;
  readonly bitsPerByte: number | undefined;
  readonly bitsPerCharacter: number | undefined;
  /** Targets that had the largest score over all. */
  readonly top1Accuracy: number | undefined;
  /** Expected calibration error. */
  readonly calibrationError: number | undefined;
  /** Runs of tokens of the validation text that stand in the training text too, over all. */
  readonly trainOverlap: number | undefined;
  /** Tokens generated over tokens asked for. */
  readonly completionRate: number | undefined;
  /** Continuations that ended with eos over all. */
  readonly eosRate: number | undefined;
  /** Different runs of 2 generated tokens over all. */
  readonly distinct2: number | undefined;
  /** Runs of 4 generated tokens that their continuation had before over all. */
  readonly repetition4: number | undefined;
  /** As the evaluator counted them: the texts that they are made of are too long to be counted again here. */
  readonly bleu: number | undefined;
  readonly chrf: number | undefined;
}

/** An evaluation that did not succeed has no numbers. */
export function evaluationNumbers(given: Evaluation | undefined): Partial<EvaluationNumbers> {
  if (given?.state !== Evaluation_State.SUCCEEDED) return {};
  const { validationLoss, inferenceLoss, textNats, calibration, overlap, generation } = given;
  const text = textNats === undefined ? undefined : textOf(textNats, given);
  const bins = (calibration?.bins ?? []).map(({ tokens, correct, ...bin }) => {
    return { ...bin, tokens: Number(tokens), correct: Number(correct) };
  });
  return {
    loss: meanNatsPerToken(totalOf(validationLoss)),
    inferenceLoss: meanNatsPerToken(totalOf(inferenceLoss)),
    perplexity: perplexity(totalOf(validationLoss)),
    bitsPerByte: text && bitsPerByte(text),
    bitsPerCharacter: text && bitsPerCharacter(text),
    top1Accuracy: top1Accuracy(bins),
    calibrationError: expectedCalibrationError(bins),
    trainOverlap: overlap && ratio(overlap.overlappingRuns, overlap.validationRuns),
    completionRate: generation && ratio(generation.generatedTokens, generation.requestedTokens),
    eosRate: generation && ratio(generation.eosFound, generation.samples),
    distinct2: distinct(generation?.runs.find(({ runTokens }) => runTokens === 2)),
    repetition4: repetition(generation?.runs.find(({ runTokens }) => runTokens === 4)),
    bleu: generation?.bleu,
    chrf: generation?.chrf,
  };
}

/** The text's own tokens: a marker's loss is not in the sum, and it has no bytes. */
function textOf(nats: number, { validationBytes, validationCharacters }: Evaluation) {
  return { nats, bytes: Number(validationBytes), characters: Number(validationCharacters) };
}

/** Different runs over all; undefined without runs. */
export function distinct(count: RunCount | undefined): number | undefined {
  return count && ratio(count.distinct, count.runs);
}

/** Runs that their own continuation had before over all; undefined without runs. */
export function repetition(count: RunCount | undefined): number | undefined {
  return count && ratio(count.repeated, count.runs);
}

/** A loss that is not there is a sum of nothing. */
export function totalOf(loss: Loss | undefined): LossTotal {
  return { nats: loss?.nats ?? 0, tokens: Number(loss?.tokens ?? 0n) };
}

export function ratio(part: bigint, whole: bigint): number | undefined {
  return whole === 0n ? undefined : Number(part) / Number(whole);
}
