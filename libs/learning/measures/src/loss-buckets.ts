/** The loss of a part of the targets: of those early or late in their rows, of those that are rare or common. */
import type { LossTotal } from "./loss-total.ts";

/** Of the targets whose number, a position or a count, lies in it; both ends inclusive. */
export interface LossBucket extends LossTotal {
  readonly from: number;
  readonly to: number;
}

export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** 1 to 15, then 16 to 31, 32 to 63, …: each as wide as all before it. @param position of a target in its row, from 1 */
export function positionRange(position: number): BucketRange {
  if (position < 16) return { from: 1, to: 15 };
  const from = 2 ** Math.floor(Math.log2(position));
  return { from, to: 2 * from - 1 };
}

/** 0 for itself, then 1 to 9, 10 to 99, …: a decade each. @param count how often a token stands somewhere */
export function countRange(count: number): BucketRange {
  if (count === 0) return { from: 0, to: 0 };
  const digits = String(count).length; // exact, which a logarithm is not
  return { from: 10 ** (digits - 1), to: 10 ** digits - 1 };
}

/** Sums by range. Of each range that nothing fell into there is no bucket. */
export class LossBuckets {
  readonly #rangeOf: (value: number) => BucketRange;
  readonly #sums = new Map<number, { from: number; to: number; nats: number; tokens: number }>();

  /** @param rangeOf the range that a target's number lies in */
  constructor(rangeOf: (value: number) => BucketRange) {
    this.#rangeOf = rangeOf;
  }

  /** @param value the target's number   @param nats what it cost */
  add(value: number, nats: number): void {
    const range = this.#rangeOf(value);
    const sum = this.#sums.get(range.from) ?? { ...range, nats: 0, tokens: 0 };
    sum.nats += nats;
    sum.tokens += 1;
    this.#sums.set(range.from, sum);
  }

  /** From the least range on. */
  buckets(): LossBucket[] {
    return [...this.#sums.values()].sort((a, b) => a.from - b.from);
  }
}
