/** The fields in which recipes differ, side by side. */
import { create } from "@bufbuild/protobuf";
import { type Recipe, type RecipeRow, RecipeRowSchema, RecipeSchema } from "@pretrain/proto";
import { differingFields } from "@pretrain/recipe";

/** A person's words explain a run and do not change it. */
const words = /^intent\./;

/** In the order of the recipe; values as JSON. */
export function recipeRows(recipes: readonly (Recipe | undefined)[]): RecipeRow[] {
  return differingFields(recipes.map((recipe) => recipe ?? create(RecipeSchema)))
    .filter(({ field }) => !words.test(field))
    .map(({ field, values }) => create(RecipeRowSchema, { field, values: [...values] }));
}
