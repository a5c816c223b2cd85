/** A recipe as a flat list of settings, as tables of hyperparameters want it. */
import { toJson } from "@bufbuild/protobuf";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

/** By dotted names such as `training.learning_rate`; a list is its JSON. */
export function settingsOf(recipe: Recipe | undefined): ReadonlyMap<string, number | string | boolean> {
  const settings = new Map<string, number | string | boolean>();
  if (recipe !== undefined) collect("", toJson(RecipeSchema, recipe, { useProtoFieldName: true }), settings);
  return settings;
}

function collect(name: string, value: unknown, settings: Map<string, number | string | boolean>): void {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") settings.set(name, value);
  else if (Array.isArray(value)) settings.set(name, JSON.stringify(value));
  else if (typeof value === "object" && value !== null) {
    for (const [field, inner] of Object.entries(value))
      collect(name === "" ? field : `${name}.${field}`, inner, settings);
  }
}
