/** When two requests are the same, for the callers who repeat one because its answer was lost. */
import { createHash } from "node:crypto";
import type { StartExperimentRequest } from "@pretrain/proto";
import { canonicalRecipeJson } from "@pretrain/recipe";

/** SHA-256, in hex, of what was asked for: the id as written, the recipe as given, defaults not written out, and the priority. */
export function startRequestSha256({ experimentId, recipe, priority }: StartExperimentRequest): string {
  const json = JSON.stringify([experimentId, recipe === undefined ? "" : canonicalRecipeJson(recipe), priority]);
  return createHash("sha256").update(json, "utf8").digest("hex");
}
