/** Test support: a curve by one pass over all steps, as its definition says it. What is cut from blocks must equal it. */
import type { StepCurve } from "../curves/curves.ts";
import type { StepColumn } from "../curves/step-columns.ts";
import type { Bucket, Cut } from "../curves/thinning.ts";
import type { Step } from "../record/history.ts";

/** @param steps the accepted ones, ascending */
export function plainBuckets(steps: readonly Step[], curve: StepCurve, range: Cut, weight = 0): Bucket[] {
  const [first] = steps;
  const beginMs = (first?.timeMs ?? 0) - (first?.totalMs ?? 0);
  const buckets = new Map<number, Bucket & { numerator: number; denominator: number }>();
  const shown = curve.shown ?? ((value: number) => value);
  let [sum, mass] = [0, 0];
  for (const step of steps) {
    const [numerator, denominator] = [columnOf(step, curve.numerator), columnOf(step, curve.denominator)];
    if (numerator === null || denominator === null || denominator === 0) continue;
    const value = numerator / denominator;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    if (step.microStep < range.from || step.microStep > range.to) continue;
    const index = Math.floor((step.microStep - range.from) / range.width);
    const known = buckets.get(index);
    const numerators = (known?.numerator ?? 0) + numerator;
    const denominators = (known?.denominator ?? 0) + denominator;
    buckets.set(index, {
      firstMicroStep: known?.firstMicroStep ?? step.microStep,
      lastMicroStep: step.microStep,
      count: (known?.count ?? 0) + 1,
      numerator: numerators,
      denominator: denominators,
      min: Math.min(known?.min ?? Number.POSITIVE_INFINITY, shown(value)),
      mean: shown(numerators / denominators),
      max: Math.max(known?.max ?? Number.NEGATIVE_INFINITY, shown(value)),
      last: shown(value),
      ...(weight > 0 && { smoothed: shown(sum / mass) }),
      tokensSeen: step.tokensSeen,
      elapsedSeconds: (step.timeMs - beginMs) / 1000,
    });
  }
  return [...buckets.values()].map((summed) => {
    const { numerator: _numerator, denominator: _denominator, ...bucket } = summed;
    return bucket;
  });
}

function columnOf(step: Step, column: StepColumn | undefined): number | null {
  switch (column) {
    case undefined:
      return 1;
    case "dataSeconds":
      return step.dataMs / 1000;
    case "forwardBackwardSeconds":
      return step.forwardBackwardMs / 1000;
    case "optimizerSeconds":
      return step.optimizerMs / 1000;
    case "otherSeconds":
      return step.otherMs / 1000;
    case "totalSeconds":
      return step.totalMs / 1000;
    default:
      return step[column];
  }
}
