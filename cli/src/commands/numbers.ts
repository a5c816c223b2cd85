/** Numbers that people type as values of options. */
import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError for what is no whole number of at least `from` */
export function wholeNumber(from: number): (text: string) => number {
  return (text) => {
    const number = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isSafeInteger(number) && number >= from) return number;
    throw new InvalidArgumentError(`A whole number from ${from} on is expected.`);
  };
}

/** @throws InvalidArgumentError for what is no number */
export function decimalNumber(text: string): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(number)) return number;
  throw new InvalidArgumentError("A number is expected.");
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `30m`, `12h`, `2d`, in seconds; without a unit it is seconds. @throws InvalidArgumentError for anything else */
export function durationSeconds(text: string): number {
  const [, number, unit = "s"] = /^([0-9]+(?:\.[0-9]+)?)([smhd])?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("A duration such as 90s, 30m or 12h is expected.");
  return Number(number) * (unitSeconds[unit] ?? 1);
}
