/** What each correction changed: old and new value of every number, and the change in percent of the old one. */
import { percentOf } from "@pretrain/measures";
import type { Correction, Evaluation } from "@pretrain/proto";
import { evaluationMetrics } from "./evaluation-measurements.ts";
import { evaluationNumbers } from "./evaluation-numbers.ts";
import { isCorrection } from "./known-evaluations.ts";

export interface CorrectedNumber {
  /** Of the table of metrics. */
  readonly metric: string;
  /** Undefined where it was not measured, or not certified. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** `(after - before) / before` in percent: 12.34 to 2.26 is -81.7. */
  readonly changePercent: number | undefined;
}

export interface EffectiveCorrection {
  readonly correction: Evaluation & { readonly supersedes: Correction };
  /** Undefined while its own event has not arrived. */
  readonly corrected: Evaluation | undefined;
  /** Those that either of the two has. */
  readonly numbers: readonly CorrectedNumber[];
}

/** @param evaluations known ones, of one experiment. One that is corrected twice over is in here twice, in that order. */
export function effectiveCorrections(evaluations: readonly Evaluation[]): EffectiveCorrection[] {
  return evaluations.flatMap((correction) => {
    const { supersedes } = correction;
    if (supersedes === undefined || !isCorrection(correction)) return [];
    const corrected = evaluations.find(({ name }) => name === supersedes.evaluation);
    if (corrected !== undefined && corrected.supersededBy !== correction.name) return []; // another one was preferred
    return [{ correction: { ...correction, supersedes }, corrected, numbers: changes(corrected, correction) }];
  });
}

function changes(corrected: Evaluation | undefined, correction: Evaluation): CorrectedNumber[] {
  const [before, after] = [evaluationNumbers(corrected), evaluationNumbers(correction)];
  return Object.entries(evaluationMetrics)
    .map(([metric, { number }]) => changed(metric, before[number], after[number]))
    .filter((change) => change.before !== undefined || change.after !== undefined);
}

function changed(metric: string, before: number | undefined, after: number | undefined): CorrectedNumber {
  const isKnown = before !== undefined && after !== undefined;
  return { metric, before, after, changePercent: isKnown ? percentOf(after - before, before) : undefined };
}
