/** Whether the size that the author of a recipe states is that of its model. */
import { type CompleteRecipe, parameterCount } from "@pretrain/recipe";

/** What to warn of when `model_size`, in millions, is more than 1 % off the true count. Undefined: nothing, or no size is stated. */
export function doubtOfSize(model: CompleteRecipe["model"]): string | undefined {
  const millions = parameterCount(model) / 1e6;
  if (model.modelSize === 0 || Math.abs(model.modelSize - millions) <= 0.01 * millions) return undefined;
  return `model_size says ${model.modelSize} million parameters; the model has ${millions.toFixed(3)} million`;
}
