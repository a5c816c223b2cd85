/** Verdicts: a target and a number in, a word out. The rules were fixed in the recipe before the run. */
import { type Target, Verdict } from "@pretrain/proto";

const holds: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

/**
 * MET: the value compares with the target's value as asked (`<` is strict). EXCELLENT: also with its stricter bound.
 * UNDECIDED: there is no value, or it is not a number.
 */
export function verdict(value: number | undefined, { comparison, value: bound, excellent }: Target): Verdict {
  const compares = holds[comparison];
  if (value === undefined || Number.isNaN(value) || compares === undefined) return Verdict.UNDECIDED;
  if (!compares(value, bound)) return Verdict.MISSED;
  return excellent !== undefined && compares(value, excellent) ? Verdict.EXCELLENT : Verdict.MET;
}

/** Of several rules that must all hold: MISSED as soon as one is missed, UNDECIDED while a number is missing, else MET. */
export function jointVerdict(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(Verdict.MISSED)) return Verdict.MISSED;
  return verdicts.length === 0 || verdicts.includes(Verdict.UNDECIDED) ? Verdict.UNDECIDED : Verdict.MET;
}
