/** What a canary is: a claim about the code that scores and generates, how it is examined, and how far off it may be. */
import type { ScoredShape } from "@pretrain/inference-program";

/** @template Subject the model that it is examined with: the loaded one, or one whose answers are known */
export interface Canary<Subject> {
  readonly name: string;
  /** What must hold. */
  readonly claim: string;
  readonly unit: "nats" | "nats per token" | "tokens" | "ratio";
  /** Largest deviation allowed, with its reason beside it. */
  readonly limit: number;
  /** `each`: in every shape in which rows are scored; `widest`: once, in the widest of them or, with few rows, in their own. */
  readonly shapes: "each" | "widest";
  /** What it throws is a claim that does not hold. */
  readonly examine: (subject: Subject, shape: ScoredShape) => Examination | Promise<Examination>;
}

export type Examination = Finding | { readonly notApplicable: string };

export interface Finding {
  /** The largest one found, from 0. */
  readonly deviation: number;
  /** What was run and found, with numbers, for a person. */
  readonly evidence: string;
}

export function shapeName({ rows, width }: ScoredShape): string {
  return `${rows} x ${width}`;
}

/** The largest distance between numbers that must be the same; infinite when there are not as many of them, or one is NaN. */
export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(found, (value, index) => Math.abs(value - (expected[index] ?? Number.NaN))).reduce(
    (largest, distance) =>
      distance <= largest ? largest : Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance,
    0,
  );
}

/** A number for a person: as many digits as tell a deviation from its limit. */
export function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
