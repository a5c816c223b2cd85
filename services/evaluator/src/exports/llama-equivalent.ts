/** Which models the formats of other programs can hold. */
import { FailedPrecondition } from "@pretrain/errors";
import type { CompleteRecipe } from "@pretrain/recipe";

/** @throws FailedPrecondition NO_EQUIVALENT for a model with memory: no other program has such layers */
export function expectLlamaEquivalent({
  modelType,
  disableDb,
}: Pick<CompleteRecipe["model"], "modelType" | "disableDb">): void {
  if (modelType === "model_original" || (modelType === "model" && disableDb)) return;
  const message = `${modelType} reads a memory, for which Llama has no layers; only model_original, and model with disable_db, are Llama models`;
  throw new FailedPrecondition("NO_EQUIVALENT", message, { model_type: modelType });
}
