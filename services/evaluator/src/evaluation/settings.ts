/** How a checkpoint is measured: as its experiment's recipe says, or as somebody asks. */
import { create } from "@bufbuild/protobuf";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { ScoringWindow } from "@pretrain/measures";
import { type EvaluationSettings, EvaluationSettingsSchema } from "@pretrain/proto";
import type { CompleteRecipe } from "@pretrain/recipe";

/** The settings that the recipe fixed before the first step. */
export function settingsOfRecipe({ evaluation }: CompleteRecipe): EvaluationSettings {
  const { samples, inputLength, predictLength, batchRows, context, stride } = evaluation;
  return create(EvaluationSettingsSchema, { samples, inputLength, predictLength, batchRows, context, stride });
}

/** Tokens that a row needs to serve as a sample. */
export function sampleLength({ inputLength, predictLength }: EvaluationSettings): number {
  return inputLength + predictLength;
}

/** How rows are scored that are longer than the context. @param maxSequenceLength positions that the model has */
export function scoringWindow({ context, stride }: EvaluationSettings, maxSequenceLength: number): ScoringWindow {
  const chosen = context === 0 ? maxSequenceLength : context;
  return { context: chosen, stride: stride === 0 ? chosen : stride };
}

/** @throws InvalidArgument naming each setting that the model cannot be measured with */
export function refuseSettings(settings: EvaluationSettings, maxSequenceLength: number): void {
  const violations: Violation[] = [];
  const length = sampleLength(settings);
  if (length > maxSequenceLength) {
    const sum = `input_length ${settings.inputLength} + predict_length ${settings.predictLength} = ${length} tokens`;
    const description = `${sum}; the model's sequences have ${maxSequenceLength}`;
    violations.push({ field: "settings.predict_length", description });
  }
  const { context, stride } = scoringWindow(settings, maxSequenceLength);
  if (context > maxSequenceLength) {
    const description = `${context} tokens; the model's sequences have ${maxSequenceLength}`;
    violations.push({ field: "settings.context", description });
  }
  if (stride > context) {
    const description = `${stride} new tokens in a window of ${context}: those between two windows would not be scored`;
    violations.push({ field: "settings.stride", description });
  }
  const [first, ...rest] = violations;
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
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
