/**
 * A curve cut into buckets of equal width in micro-steps. No extreme is lost, and the mean is the sum of numerators over
 * the sum of denominators: of a loss, nats over tokens. Means are never averaged.
 */

export interface Bucket {
  readonly firstMicroStep: number;
  readonly lastMicroStep: number;
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly last: number;
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

interface Open {
  index: number;
  first: number;
  last: number;
  count: number;
  numerator: number;
  denominator: number;
  min: number;
  max: number;
  lastValue: number;
}

/** Takes values in the order of their micro-steps; those outside the range are passed over. */
export class Thinner {
  readonly #cut: Cut;
  readonly #buckets: Open[] = [];

  constructor(cut: Cut) {
    this.#cut = cut;
  }

  add(microStep: number, numerator: number, denominator: number): void {
    if (microStep < this.#cut.from || microStep > this.#cut.to || denominator === 0) return;
    const index = Math.floor((microStep - this.#cut.from) / this.#cut.width);
    const value = numerator / denominator;
    const open = this.#buckets.at(-1);
    if (open?.index === index) extend(open, microStep, numerator, denominator, value);
    else this.#buckets.push(opened(index, microStep, numerator, denominator, value));
  }

  /** @param shown from a quotient to what the curve shows, rising, such as `exp` for a perplexity */
  buckets(shown: (quotient: number) => number = (quotient) => quotient): Bucket[] {
    return this.#buckets.map((bucket) => ({
      firstMicroStep: bucket.first,
      lastMicroStep: bucket.last,
      count: bucket.count,
      min: shown(bucket.min),
      mean: shown(bucket.numerator / bucket.denominator),
      max: shown(bucket.max),
      last: shown(bucket.lastValue),
    }));
  }
}

function opened(index: number, microStep: number, numerator: number, denominator: number, value: number): Open {
  const ends = { first: microStep, last: microStep, min: value, max: value, lastValue: value };
  return { index, count: 1, numerator, denominator, ...ends };
}

function extend(bucket: Open, microStep: number, numerator: number, denominator: number, value: number): void {
  bucket.last = microStep;
  bucket.count += 1;
  bucket.numerator += numerator;
  bucket.denominator += denominator;
  bucket.min = Math.min(bucket.min, value);
  bucket.max = Math.max(bucket.max, value);
  bucket.lastValue = value;
}
