/** `training.learning_rate=1e-4` on a command line, as the fields of a recipe. */
import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { InvalidArgument, messageOf } from "@pretrain/errors";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

export interface RecipeSettings {
  readonly recipe: Recipe;
  /** The fields that were set, in order. */
  readonly paths: readonly string[];
}

/**
 * @param settings each `field=value`: the value as JSON, or, where it is none, as text; an empty one sets the default again
 * @throws InvalidArgument naming the setting that cannot be read
 */
export function recipeSettings(settings: readonly string[]): RecipeSettings {
  const paths: string[] = [];
  const json: JsonObject = {};
  for (const setting of settings) {
    const [, path, text] = /^([a-z0-9_]+(?:\.[a-z0-9_]+)?)=(.*)$/s.exec(setting) ?? [];
    if (path === undefined || text === undefined) throw unreadable(setting, "group.field=value is expected");
    paths.push(path);
    if (text !== "") place(json, path, valueOf(text));
  }
  try {
    return { recipe: fromJson(RecipeSchema, json), paths };
  } catch (error) {
    throw unreadable(settings.join(" "), messageOf(error));
  }
}

function place(json: JsonObject, path: string, value: JsonValue): void {
  const [group = "", field] = path.split(".");
  if (field === undefined) json[group] = value;
  else json[group] = { ...Object(json[group]), [field]: value };
}

function valueOf(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text; // a word, such as `constant`, needs no quotes
    throw error;
  }
}

function unreadable(setting: string, why: string): InvalidArgument {
  return new InvalidArgument([{ field: "--set", description: `${JSON.stringify(setting.slice(0, 200))}: ${why}` }]);
}
