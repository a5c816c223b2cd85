/**
 * A curve cut into buckets of equal width in micro-steps. No extreme is lost, and the mean is the sum of numerators over
 * the sum of denominators: of a loss, nats over tokens. Means are never averaged.
 */

/** Where in the run a micro-step lies, beside its number. */
export interface PlaceInRun {
  /** Real tokens trained on up to its end. */
  readonly tokensSeen: number;
  /** From the first micro-step's begin to its end, pauses included. */
  readonly elapsedSeconds: number;
}

export interface Bucket extends PlaceInRun {
  readonly firstMicroStep: number;
  readonly lastMicroStep: number;
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly last: number;
  /** The moving average at its last value, where one was asked for. */
  readonly smoothed?: number;
}

/** Which micro-steps are cut, both ends included, and how many of them one bucket covers. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

/** The narrowest buckets of which at most `maximumBuckets` cover the range. */
export function cut(from: number, to: number, maximumBuckets: number): Cut {
  return { from, to, width: Math.max(1, Math.ceil((to - from + 1) / maximumBuckets)) };
}
