/** Faults that a field has by itself: the rules written beside it in recipe.proto, and fields that nobody knows. */
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
  return [
    ...unknownFields(root, "recipe"),
    ...broken.map(({ field, message }) => ({
      field: `recipe.${pathToString(field)}`,
      description: message + found(root, field),
    })),
  ];
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

/** Fields that a newer client knows and this program does not. The bytes hold only their numbers. */
function unknownFields(message: ReflectMessage, path: string): Violation[] {
  const own = (message.getUnknown() ?? []).map(({ no }) => ({
    field: path,
    description: `holds a field of number ${no}, which ${message.desc.name} does not have`,
  }));
  const below = message.fields.flatMap((field) => {
    if (field.fieldKind === "message" && message.isSet(field)) {
      return unknownFields(message.get(field), `${path}.${field.name}`);
    }
    if (field.fieldKind !== "list") return [];
    return [...message.get(field)].flatMap((item: unknown, i) =>
      isReflectMessage(item) ? unknownFields(item, `${path}.${field.name}[${i}]`) : [],
    );
  });
  return [...own, ...below];
}
