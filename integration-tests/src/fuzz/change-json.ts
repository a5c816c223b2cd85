/**
 * One change to an input as JSON: the text stays JSON (mostly), so that what is wrong with it is found by the parser behind JSON's own. Texts
 * are written here, not by JSON.stringify, which cannot say a key twice, half a surrogate pair, or a number beyond a double.
 */
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { hostileNumbers, hostileTexts } from "./hostile.ts";

/** A value, or the text of one that JavaScript cannot hold. */
type Json = Raw | string | number | boolean | null | Json[] | Members;
type Members = { readonly members: [key: string, value: Json][] };
type Raw = { readonly raw: string };

/** @returns undefined when the input is no JSON of an object or list */
export function jsonOf(bytes: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null ? tree(value) : undefined;
  } catch {
    return undefined; // it is changed as bytes only
  }
}

/** @param dictionary names that mean something to the parser */
export function changedJson(root: Json, random: SeededRandom, dictionary: readonly string[]): Uint8Array {
  const copy = structuredClone(root);
  const holders = holdersIn(copy);
  const times = random.fraction() < 0.6 ? 1 : random.integer(2, 5);
  for (let i = 0; i < times && holders.length > 0; i += 1) changeOne(random.oneOf(holders), random, dictionary);
  return new TextEncoder().encode(written(copy));
}

function tree(value: unknown): Json {
  if (Array.isArray(value)) return value.map(tree);
  if (typeof value !== "object" || value === null) return value as string | number | boolean | null;
  return { members: Object.entries(value).map(([key, inner]): [string, Json] => [key, tree(inner)]) };
}

function holdersIn(value: Json): (Json[] | Members)[] {
  if (Array.isArray(value)) return [value, ...value.flatMap(holdersIn)];
  if (isMembers(value)) return [value, ...value.members.flatMap(([, inner]) => holdersIn(inner))];
  return [];
}

function changeOne(holder: Json[] | Members, random: SeededRandom, dictionary: readonly string[]): void {
  const entries: [string, Json][] | Json[] = Array.isArray(holder) ? holder : holder.members;
  const at = random.integer(0, Math.max(0, entries.length - 1));
  const choice = random.fraction();
  if (choice < 0.15) entries.splice(at, 1);
  else if (choice < 0.25 && entries.length > 0) (entries as unknown[]).push(entries[at]);
  else if (Array.isArray(holder)) holder[at] = hostileValue(random, holder[at]);
  else if (choice < 0.5 || entries.length === 0) {
    const key = random.oneOf(dictionary.length > 0 && random.fraction() < 0.6 ? dictionary : hostileTexts);
    if (random.fraction() < 0.5) holder.members.push([key, hostileValue(random, undefined)]);
    else holder.members[at] = [key, holder.members[at]?.[1] ?? null];
  } else {
    const [key, value] = holder.members[at] ?? ["", null];
    holder.members[at] = [key, hostileValue(random, value)];
  }
}

function hostileValue(random: SeededRandom, before: Json | undefined): Json {
  const choice = random.integer(0, 9);
  if (choice <= 2) return { raw: random.oneOf(hostileNumbers) };
  if (choice <= 5) return random.oneOf(hostileTexts);
  if (choice === 6) return random.oneOf<Json>([null, true, false, [], { members: [] }, [[]], [null]]);
  if (choice === 7 && before !== undefined) return random.fraction() < 0.5 ? [before] : { members: [["a", before]] };
  if (choice === 8 && typeof before === "string") return before + random.oneOf(hostileTexts);
  if (choice === 9 && random.fraction() < 0.1) return nested(random.oneOf([30, 65, 1000, 20_000]));
  return typeof before === "number" ? before + random.oneOf([-1, 1, 0.5, 1e9]) : random.integer(-5, 300);
}

function nested(depth: number): Raw {
  return { raw: `${"[".repeat(depth)}${"]".repeat(depth)}` };
}

function written(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (isMembers(value)) return `{${value.members.map(([k, v]) => `${JSON.stringify(k)}:${written(v)}`).join(",")}}`;
  if (typeof value === "object" && value !== null) return value.raw;
  return JSON.stringify(value);
}

function isMembers(value: Json): value is Members {
  return typeof value === "object" && value !== null && "members" in value;
}
