/** The recipe of a fork: its parent's with some fields changed, and what may not change since the checkpoint would mean something else. */
import { clone, create } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import { type Recipe, type RecipeDifference, RecipeDifferenceSchema, RecipeSchema } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe } from "./complete-recipe.ts";
import { differingFields, fieldOrder } from "./differing-fields.ts";
import { invalid } from "./invalid.ts";
import { unknownName } from "./nearest-name.ts";

/** Where a checkpoint stands in its run. */
export interface ForkPlace {
  /** Micro-steps done. */
  readonly microStep: number;
  /** Epoch, from 1, of the next micro-step. */
  readonly nextEpoch: number;
}

/** Why a field, or every field of a group, stays as the parent has it. */
const fixed: Readonly<Record<string, string>> = {
  model: "the checkpoint's weights have this shape",
  data: "the checkpoint's place in the data is counted in these rows",
  "training.batch_size": "the checkpoint's micro-steps are batches of this size",
  "training.accumulation_steps": "the checkpoint's optimizer steps are counted by it",
  "training.last_accumulation": "the checkpoint's optimizer steps are counted by it",
  "training.seed": "the order of the rows that are left follows from it",
};

/**
 * The parent's recipe with the fields of `changes` that `paths` names, or, without `paths`, with all that are set in it.
 *
 * @param paths such as `training.learning_rate`, `intent`, `targets`; a named field that is not set goes back to its default
 * @throws InvalidArgument naming all faults at once: unknown paths (`update_mask`), faults of the resulting recipe, fields that
 *   must stay as they are
 */
export function forkedRecipe(
  parent: CompleteRecipe,
  changes: Recipe = create(RecipeSchema),
  paths: readonly string[] | undefined,
  place: ForkPlace,
): CompleteRecipe {
  const named = paths ?? pathsOfSetFields(changes);
  const [unknown, ...others] = named.flatMap(pathFaults);
  if (unknown !== undefined) throw invalid([unknown, ...others]);
  const merged = clone(RecipeSchema, parent);
  for (const path of named) copyField(path.split("."), reflect(RecipeSchema, changes), reflect(RecipeSchema, merged));
  // This one default follows from another field; what the parent had written out would contradict the new one.
  if (named.includes("training.dtype") && merged.hardware !== undefined && !namesPrecision(named))
    delete merged.hardware.mixedPrecision;
  // What was changed in the code for the parent was not changed for the fork.
  if (!named.some((path) => path === "intent" || path === "intent.changes")) delete merged.intent?.changes;
  const fork = completeRecipe(merged);
  const [first, ...rest] = [...fixedFaults(parent, fork), ...placeFaults(fork, place)];
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  return fork;
}

/** Every field in which the recipes differ, in the order of recipe.proto; lists as a whole, long values cut. */
export function recipeDifferences(parent: CompleteRecipe, fork: CompleteRecipe): RecipeDifference[] {
  return differingFields([parent, fork]).map(({ field, values: [before = "", after = ""] }) =>
    create(RecipeDifferenceSchema, { field, parent: before, fork: after }),
  );
}

function pathsOfSetFields(changes: Recipe): string[] {
  const root = reflect(RecipeSchema, changes);
  return root.fields
    .filter((field) => root.isSet(field))
    .flatMap((field) => {
      const value = root.get(field);
      if (!isReflectMessage(value)) return [field.name];
      return value.fields.filter((each) => value.isSet(each)).map((each) => `${field.name}.${each.name}`);
    });
}

function pathFaults(path: string): Violation[] {
  const known = [...RecipeSchema.fields.map(({ name }) => name), ...fieldOrder];
  return known.includes(path) ? [] : [{ field: "update_mask", description: unknownName(path, known) }];
}

function copyField([name, ...rest]: readonly string[], from: ReflectMessage, to: ReflectMessage): void {
  const field = from.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${name} was let through as a field of a recipe`);
  if (!from.isSet(field) && rest.length === 0) return to.clear(field);
  const [value, target] = [from.get(field), to.get(field)];
  if (rest.length === 0) to.set(field, value);
  else if (isReflectMessage(value) && isReflectMessage(target)) copyField(rest, value, target);
}

function namesPrecision(paths: readonly string[]): boolean {
  return paths.some((path) => path === "hardware" || path === "hardware.mixed_precision");
}

function fixedFaults(parent: CompleteRecipe, fork: CompleteRecipe): Violation[] {
  return recipeDifferences(parent, fork).flatMap(({ field, ...values }) => {
    const why = fixed[field] ?? fixed[field.split(".", 1)[0] ?? ""];
    const description = `must stay ${values.parent || "unset"}: ${why}; start a new experiment for another one`;
    return why === undefined ? [] : [{ field: `recipe.${field}`, description }];
  });
}

function placeFaults({ training }: CompleteRecipe, { microStep, nextEpoch }: ForkPlace): Violation[] {
  if (training.epochs >= nextEpoch) return [];
  const found = `${training.epochs} epochs are over at micro-step ${microStep}, where the checkpoint stands`;
  return [{ field: "recipe.training.epochs", description: `${found}; at least ${nextEpoch} are expected` }];
}
