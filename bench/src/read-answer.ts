/** A contender's answers, checked: a number that is missing or not finite would become a wrong ratio. */
import type { Ended, Ready, Round } from "./protocol.ts";

type Fields = Readonly<Record<string, unknown>>;

/** @throws TypeError naming the field that is not what it must be; so do the others */
export function asReady(answer: unknown): Ready {
  const ready = fields(fields(answer)["ready"]);
  if (typeof ready["version"] !== "string") throw new TypeError("version is no text");
  return {
    version: ready["version"],
    seconds: positive(ready, "seconds"),
    loaded_rss_mib: positive(ready, "loaded_rss_mib"),
    ...optional(ready, "loss"),
    ...optional(ready, "gradient_norm"),
    ...(ready["generated"] !== undefined && { generated: numbers(ready["generated"]) }),
  };
}

export function asRound(answer: unknown): Round {
  const round = fields(answer);
  const speeds = round["giga_per_second"];
  return {
    seconds: positive(round, "seconds"),
    tokens: finite(round, "tokens"),
    ...optional(round, "loss"),
    ...(speeds !== undefined && { giga_per_second: speedsOf(fields(speeds)) }),
  };
}

export function asEnded(answer: unknown): Ended {
  return { peak_rss_mib: positive(fields(answer), "peak_rss_mib") };
}

function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new TypeError(`${JSON.stringify(value)} is no object`);
  return { ...value };
}

function finite(from: Fields, name: string): number {
  const value = from[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`${name} is ${JSON.stringify(value)}, no finite number`);
}

function positive(from: Fields, name: string): number {
  const value = finite(from, name);
  if (value > 0) return value;
  throw new TypeError(`${name} is ${value}, not positive`);
}

function optional<Name extends string>(from: Fields, name: Name): { [K in Name]?: number } {
  const found: { [K in Name]?: number } = {};
  if (from[name] !== undefined) found[name] = finite(from, name);
  return found;
}

function speedsOf(from: Fields): Record<string, number> {
  return Object.fromEntries(Object.keys(from).map((name) => [name, positive(from, name)]));
}

function numbers(value: unknown): number[] {
  if (!Array.isArray(value)) throw new TypeError(`${JSON.stringify(value)} is no list`);
  return value.map((each, index) => finite({ [index]: each }, String(index)));
}
