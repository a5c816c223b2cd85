/** The recipe that an experiment was sealed with, as its trainer left it in the store before the first attempt. */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { RecipeSchema } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe, recipeSha256 } from "@pretrain/recipe";

export interface SealedRecipe {
  readonly recipe: CompleteRecipe;
  /** Its digest, as checkpoints carry it. */
  readonly sha256: string;
}

const limitBytes = 4 * 2 ** 20;

/** @throws NotFound when there is none, DataLoss when it cannot be read, both naming the blob */
export async function readExperimentRecipe(blobs: BlobStore, experiment: string): Promise<SealedRecipe> {
  const key = `experiments/${experiment}/recipe.json`;
  const found = await blobs.stat(key);
  if (found === undefined) throw new NotFound("RECIPE_NOT_FOUND", `there is no recipe ${key}`, { key });
  if (found.sizeBytes > limitBytes) throw damaged(key, new Error(`${found.sizeBytes} bytes are no recipe`));
  const bytes = await blobs.read(key);
  try {
    const json: JsonValue = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const recipe = completeRecipe(fromJson(RecipeSchema, json));
    return { recipe, sha256: recipeSha256(recipe) };
  } catch (cause) {
    throw damaged(key, cause);
  }
}

function damaged(key: string, cause: unknown): DataLoss {
  return new DataLoss("RECIPE_UNREADABLE", `${key} is no complete recipe`, { key }, { cause });
}
