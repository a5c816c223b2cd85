/** The identity of a recipe: the SHA-256 of one spelling of it. */
import { createHash } from "node:crypto";
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Recipe, RecipeSchema } from "@pretrain/proto";

/**
 * The recipe as JSON in one spelling: the names of the .proto file, members sorted by UTF-16 units, no white space, numbers
 * as ECMAScript writes them (the rules of RFC 8785). Equal recipes give equal text, whatever order they were written in.
 */
export function canonicalRecipeJson(recipe: Recipe): string {
  return canonicalJson(toJson(RecipeSchema, recipe, { useProtoFieldName: true }));
}

/** SHA-256, in lower-case hex, of `canonicalRecipeJson` in UTF-8. Of a complete recipe it is the experiment's identity. */
export function recipeSha256(recipe: Recipe): string {
  return createHash("sha256").update(canonicalRecipeJson(recipe), "utf8").digest("hex");
}

function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
