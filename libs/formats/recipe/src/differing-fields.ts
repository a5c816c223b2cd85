/** The fields in which recipes differ: for a fork's origin, and for experiments side by side. */
import { toJson } from "@bufbuild/protobuf";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

/** `training.epochs`, `targets`: every field of a group, and every list, in the order of recipe.proto. */
export const fieldOrder: readonly string[] = RecipeSchema.fields.flatMap(({ name, fieldKind, message }) =>
  fieldKind === "message" ? (message?.fields ?? []).map((field) => `${name}.${field.name}`) : [name],
);

export interface DifferingField {
  /** Such as `training.learning_rate`; a list as a whole. */
  readonly field: string;
  /** JSON of each recipe's value, in the order given; empty where it is not set; cut where it is long. */
  readonly values: readonly string[];
}

const shownCharacters = 2000;

/** Every field in which not all of the recipes are alike, in the order of recipe.proto. */
export function differingFields(recipes: readonly Recipe[]): DifferingField[] {
  const tables = recipes.map(valuesOf);
  return [...new Set(tables.flatMap((table) => [...table.keys()]))]
    .map((field) => ({ field, values: tables.map((table) => table.get(field) ?? "") }))
    .filter(({ values }) => new Set(values).size > 1)
    .sort((a, b) => fieldOrder.indexOf(a.field) - fieldOrder.indexOf(b.field))
    .map(({ field, values }) => ({ field, values: values.map(shown) }));
}

/** JSON text of every field that is there. */
function valuesOf(recipe: Recipe): Map<string, string> {
  const groups = Object.entries(Object(toJson(RecipeSchema, recipe, { useProtoFieldName: true })));
  return new Map(
    groups.flatMap(([group, value]) =>
      Array.isArray(value)
        ? [[group, JSON.stringify(value)] as const]
        : Object.entries(Object(value)).map(([name, each]) => [`${group}.${name}`, JSON.stringify(each)] as const),
    ),
  );
}

function shown(text: string): string {
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
