/** The request to start an experiment: a recipe file, what the command line sets otherwise, and what git knows of the change. */
import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument, NotFound, PretrainError, systemReason } from "@pretrain/errors";
import { IntentSchema, type StartExperimentRequest } from "@pretrain/proto";
import { lineOfField, parseExperimentFile } from "@pretrain/recipe";
import { changesSince } from "./changes-since.ts";
import { withSettings } from "./recipe-settings.ts";

export interface RecipeOptions {
  readonly set: readonly string[];
  readonly id?: string;
  readonly changesSince?: string;
}

export interface RecipeFile {
  readonly request: StartExperimentRequest;
  /** What the service found wrong in it, with file and line; any other error as it is. */
  readonly located: (thrown: unknown) => unknown;
}

/**
 * @param folder whose repository `changesSince` is about
 * @throws NotFound when there is no such file; InvalidArgument with file and line of every field that cannot be read
 */
export async function readRecipeFile(file: string, options: RecipeOptions, folder: string): Promise<RecipeFile> {
  const text = await textOf(file);
  const request = parseExperimentFile(text, file);
  if (options.id !== undefined) request.experimentId = options.id;
  if (request.recipe !== undefined) request.recipe = withSettings(request.recipe, options.set);
  if (options.changesSince !== undefined && request.recipe !== undefined) {
    const intent = create(IntentSchema, request.recipe.intent);
    intent.changes = await changesSince(options.changesSince, folder, intent.changes);
    request.recipe.intent = intent;
  }
  return { request, located: (thrown) => located(thrown, text, file, options.set) };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new NotFound("FILE_UNREADABLE", `${file} ${systemReason(error)}`, { file }, { cause: error });
  }
}

function located(thrown: unknown, text: string, file: string, set: readonly string[]): unknown {
  if (!(thrown instanceof PretrainError) || thrown.status !== "INVALID_ARGUMENT") return thrown;
  const [first, ...rest] = thrown.violations.map(({ field, description }) => ({
    field,
    description: `${description} (${placeOf(field, text, file, set)})`,
  }));
  return first === undefined ? thrown : new InvalidArgument([first, ...rest], { cause: thrown.cause });
}

function placeOf(field: string, text: string, file: string, set: readonly string[]): string {
  const inRecipe = field.replace(/^recipe\./, "");
  const setting = set.findLast((each) => isOf(inRecipe, each.slice(0, each.indexOf("="))));
  if (setting !== undefined) return `--set ${setting.slice(0, 100)}`;
  const line = lineOfField(text, field) ?? lineOfField(text, `recipe.${inRecipe}`);
  return line === undefined ? file : `${file}, line ${line}`;
}

/** `targets[0].metric` and `targets` are of the setting `targets`. */
function isOf(field: string, setting: string): boolean {
  return field === setting || field.startsWith(`${setting}.`) || field.startsWith(`${setting}[`);
}
