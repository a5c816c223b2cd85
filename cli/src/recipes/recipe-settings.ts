/** `--set training.learning_rate=1e-4` on a command line, as the fields of a recipe. */
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { InvalidArgument, messageOf } from "@pretrain/errors";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

/** One field and its value; without a value it goes back to its default. */
interface Setting {
  readonly path: string;
  readonly value: JsonValue | undefined;
}

export interface RecipeSettings {
  readonly recipe: Recipe;
  /** The fields that were set, in order. */
  readonly paths: readonly string[];
}

/**
 * The settings alone, for a request that changes another recipe.
 *
 * @param settings each `field=value`: the value as JSON, or, where it is none, as text; an empty one sets the default again
 * @throws InvalidArgument naming the setting that cannot be read
 */
export function recipeSettings(settings: readonly string[]): RecipeSettings {
  const parsed = settings.map(parsedSetting);
  return { recipe: recipeWith({}, parsed, settings), paths: parsed.map(({ path }) => path) };
}

/** The recipe with those fields set otherwise. @throws what `recipeSettings` throws */
export function withSettings(recipe: Recipe, settings: readonly string[]): Recipe {
  if (settings.length === 0) return recipe;
  const json = toJson(RecipeSchema, recipe, { useProtoFieldName: true });
  return recipeWith({ ...Object(json) }, settings.map(parsedSetting), settings);
}

function parsedSetting(setting: string): Setting {
  const [, path, text] = /^([a-z0-9_]+(?:\.[a-z0-9_]+)?)=(.*)$/s.exec(setting) ?? [];
  if (path === undefined || text === undefined) throw unreadable(setting, "group.field=value is expected");
  return { path, value: text === "" ? undefined : valueOf(text) };
}

function recipeWith(json: JsonObject, parsed: readonly Setting[], settings: readonly string[]): Recipe {
  for (const { path, value } of parsed) place(json, path, value);
  try {
    return fromJson(RecipeSchema, json);
  } catch (error) {
    throw unreadable(settings.join(" "), messageOf(error));
  }
}

function place(json: JsonObject, path: string, value: JsonValue | undefined): void {
  const [group = "", field] = path.split(".");
  const around: JsonObject = field === undefined ? json : (json[group] = { ...Object(json[group]) });
  const name = field ?? group;
  if (value === undefined) delete around[name];
  else around[name] = value;
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
