/** How a checkpoint is measured: as its experiment's recipe says, or as somebody asks. */
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type EvaluationSettings, EvaluationSettingsSchema } from "@pretrain/proto";
import type { CompleteRecipe } from "@pretrain/recipe";

/** The settings that the recipe fixed before the first step. */
export function settingsOfRecipe({ evaluation }: CompleteRecipe): EvaluationSettings {
  const { samples, inputLength, predictLength, batchRows } = evaluation;
  return create(EvaluationSettingsSchema, { samples, inputLength, predictLength, batchRows });
}

/** Tokens that a row needs to serve as a sample. */
export function sampleLength({ inputLength, predictLength }: EvaluationSettings): number {
  return inputLength + predictLength;
}

/** @throws InvalidArgument when a sample would be longer than the model's sequences */
export function refuseLongSamples(settings: EvaluationSettings, maxSequenceLength: number): void {
  const length = sampleLength(settings);
  if (length <= maxSequenceLength) return;
  const sum = `input_length ${settings.inputLength} + predict_length ${settings.predictLength} = ${length} tokens`;
  throw new InvalidArgument([
    { field: "settings.predict_length", description: `${sum}; the model's sequences have ${maxSequenceLength}` },
  ]);
}

/** A gibibyte of float32 scores: a few times as much is in use while they are turned into losses. */
const mostScores = 2 ** 28;

/**
 * Rows to be scored at once: as many as were asked for, or as many as memory holds. Which of the two changes no number.
 * A batch is then at most 2 MiB of token ids, which is less than a gRPC message may have.
 */
export function rowsAtOnce(
  { batchRows }: EvaluationSettings,
  { maxSequenceLength, vocabularySize }: { readonly maxSequenceLength: number; readonly vocabularySize: number },
): number {
  return Math.max(1, Math.min(batchRows, Math.floor(mostScores / (maxSequenceLength * vocabularySize))));
}
