/** A curve of few values, such as one for each evaluated checkpoint, cut into buckets: every value is looked at. */
import type { Bucket, Cut, PlaceInRun } from "./thinning.ts";

export interface Sample {
  readonly microStep: number;
  readonly value: number;
}

/**
 * @param samples in the order of their micro-steps
 * @param smoothing weight of what was before in the moving average (see moving-average.ts); 0: none
 */
export function sampledBuckets(
  samples: readonly Sample[],
  range: Cut,
  smoothing: number,
  placeAt: (microStep: number) => PlaceInRun,
): Bucket[] {
  const averages = movingAverages(samples, smoothing);
  const averaged = samples.map((sample, index) => ({ ...sample, smoothed: averages[index] }));
  const within = averaged.filter(({ microStep }) => microStep >= range.from && microStep <= range.to);
  const groups = Map.groupBy(within, ({ microStep }) => Math.floor((microStep - range.from) / range.width));
  return [...groups.values()].map((group) => bucketOf(group, placeAt));
}

function movingAverages(samples: readonly Sample[], weight: number): (number | undefined)[] {
  let [sum, mass] = [0, 0];
  return samples.map(({ value }) => {
    if (weight === 0) return undefined;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

function bucketOf(
  group: readonly (Sample & { readonly smoothed: number | undefined })[],
  placeAt: (microStep: number) => PlaceInRun,
): Bucket {
  const values = group.map(({ value }) => value);
  const [first, last] = [group[0]?.microStep ?? 0, group.at(-1)?.microStep ?? 0];
  const smoothed = group.at(-1)?.smoothed;
  return {
    firstMicroStep: first,
    lastMicroStep: last,
    count: values.length,
    min: Math.min(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    max: Math.max(...values),
    last: values.at(-1) ?? Number.NaN,
    ...(smoothed !== undefined && { smoothed }),
    ...placeAt(last),
  };
}
