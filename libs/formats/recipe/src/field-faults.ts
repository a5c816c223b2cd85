/** Faults that a field has by itself, by the rules written beside it in recipe.proto. */
import {
  isReflectList,
  isReflectMessage,
  type Path,
  pathToString,
  type ReflectMessage,
  reflect,
} from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Violation } from "@pretrain/errors";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

const validator = createValidator();

/** Every broken rule of every field, with what was found there. Paths begin with `recipe`. */
export function fieldFaults(recipe: Recipe): Violation[] {
  const root = reflect(RecipeSchema, recipe);
  const result = validator.validate(RecipeSchema, recipe);
  if (result.kind === "error") throw result.error; // a rule that cannot be evaluated is a fault of the .proto
  const broken = result.kind === "invalid" ? result.violations : [];
  return broken.map(({ field, message }) => ({
    field: `recipe.${pathToString(field)}`,
    description: message + found(root, field),
  }));
}

/** `; 1 was found`, where the value is a number or a short text. */
function found(root: ReflectMessage, path: Path): string {
  const value = valueAt(root, path);
  if (typeof value === "number") return `; ${value} was found`;
  return typeof value === "string" && value.length <= 80 ? `; ${JSON.stringify(value)} was found` : "";
}

function valueAt(root: ReflectMessage, path: Path): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (step.kind === "field" && isReflectMessage(value)) value = value.get(step);
    else if (step.kind === "list_sub" && isReflectList(value)) value = value.get(step.index);
    else return undefined;
  }
  return value;
}
