/** Reading JSON of unknown origin: every value is checked where it is taken, every error names its path. */
import { TokenizerError } from "./tokenizer-error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** For each key the values it may have (`"absent"`: the key may be missing), or undefined where any value will do. */
export type Rules = Readonly<Record<string, readonly unknown[] | undefined>>;

const maximumBytes = 32 * 2 ** 20;

/** @throws TokenizerError for what is not JSON, not UTF-8, or larger than 32 MiB */
export function parseJson(json: string | Uint8Array): unknown {
  if (json.length > maximumBytes) throw new TokenizerError("tokenizer.json", `is larger than ${maximumBytes} bytes`);
  try {
    return JSON.parse(typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    throw new TokenizerError("tokenizer.json", `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function objectAt(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw new TokenizerError(path, `${shown(value)} is no object`);
  return value;
}

export function stringAt(value: unknown, path: string): string {
  if (typeof value !== "string") throw new TokenizerError(path, `${shown(value)} is no string`);
  return value;
}

/** A count or an id: an integer from 0 on. */
export function numberAt(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new TokenizerError(path, `${shown(value)} is no integer from 0 on`);
  }
  return value;
}

/** Refuses every key that `rules` do not name and every value that they do not allow. */
export function refuseOthers(object: JsonObject, path: string, rules: Rules): void {
  const at = (key: string) => (path === "" ? key : `${path}.${key}`);
  const unknown = Object.keys(object).find((key) => !Object.hasOwn(rules, key));
  if (unknown !== undefined) throw new TokenizerError(at(unknown.slice(0, 100)), "is a setting that is not read here");
  for (const [key, allowed] of Object.entries(rules)) {
    const value = Object.hasOwn(object, key) ? object[key] : "absent";
    if (allowed !== undefined && !allowed.includes(value)) {
      throw new TokenizerError(at(key), `${shown(value)} is not read here, only ${allowed.map(shown).join(", ")}`);
    }
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === "absent") return "an absent value";
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return "a value that is nested too deeply to be shown"; // it is read without recursion, and not always written so
  }
}
