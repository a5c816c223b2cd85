/** From what a person wrote to what is trained: checked as a whole, every default written out. */
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { Recipe } from "@pretrain/proto";
import { type CompleteRecipe, withDefaults } from "./defaults.ts";
import { fieldFaults } from "./field-faults.ts";
import { invalid } from "./invalid.ts";
import { rules } from "./rules.ts";

export type { CompleteRecipe } from "./defaults.ts";

/**
 * The recipe with every default written out, if it can be trained. Completing a complete recipe changes nothing.
 *
 * @throws InvalidArgument naming all faults at once, by their paths in the request (`recipe.model.dim`)
 */
export function completeRecipe(recipe: Recipe | undefined): CompleteRecipe {
  if (recipe === undefined) throw new InvalidArgument([{ field: "recipe", description: "is missing" }]);
  const complete = withDefaults(recipe);
  const ofFields = fieldFaults(recipe);
  const [first, ...rest] = [...ofFields, ...ruleFaults(complete, new Set(ofFields.map(({ field }) => field)))];
  if (first !== undefined) throw invalid([first, ...rest]);
  return complete;
}

/** A rule about a field that is wrong by itself would only say the same thing in other words. */
function ruleFaults(recipe: CompleteRecipe, faulty: ReadonlySet<string>): Violation[] {
  return rules
    .filter(({ reads }) => !reads.some((field) => faulty.has(field)))
    .flatMap(({ faults }) => faults(recipe))
    .filter(({ field }) => !faulty.has(field));
}
