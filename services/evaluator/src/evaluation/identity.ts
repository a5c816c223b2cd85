/** The name of an evaluation follows from what is measured and how, so that asking twice is asking for the same. */
import { createHash } from "node:crypto";
import type { CheckpointId } from "@pretrain/checkpoint";
import type { EvaluationSettings } from "@pretrain/proto";

const collection = "evaluations/";

/**
 * `{experiment}-{micro-step}`, and `-{8 hex digits}` of the settings where they are not the recipe's. Experiment and
 * micro-step are told apart by the last `-`; the digits begin with a letter, so they cannot be read as a micro-step.
 */
export function evaluationId(
  { experiment, microStep }: CheckpointId,
  settings: EvaluationSettings,
  recipeSettings: EvaluationSettings,
): string {
  const digest = settingsDigest(settings);
  const suffix = digest === settingsDigest(recipeSettings) ? "" : `-${digest}`;
  return `${experiment}-${microStep}${suffix}`;
}

/** `evaluations/{id}`. */
export function evaluationName(id: string): string {
  return `${collection}${id}`;
}

/** The id in a name that the contract's pattern has let through. */
export function idOfEvaluationName(name: string): string {
  return name.slice(collection.length);
}

function settingsDigest({ samples, inputLength, predictLength, batchRows }: EvaluationSettings): string {
  const text = JSON.stringify({ samples, inputLength, predictLength, batchRows });
  const hex = createHash("sha256").update(text).digest("hex");
  return hex.slice(Math.min(hex.search(/[a-f]/), hex.length - 8)).slice(0, 8);
}
