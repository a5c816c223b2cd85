/** How often each of many may do something: a rate, and a reserve for bursts. */

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface Rate {
  readonly perSecond: number;
  /** How many at once, after a pause. */
  readonly burst: number;
}

/** Of whom nothing was heard for longest is forgotten; that one begins with a full bucket again. */
const maximumKeys = 10_000;

export class TokenBuckets {
  readonly #rate: Rate;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, nowMs: () => number) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /** @returns whether there was one left */
  take(key: string): boolean {
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rate.burst, atMs: nowMs };
    const gained = ((nowMs - bucket.atMs) / 1000) * this.#rate.perSecond;
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + gained);
    bucket.atMs = nowMs;
    this.#buckets.delete(key); // the last one to be forgotten now
    this.#buckets.set(key, bucket);
    this.#forget();
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #forget(): void {
    if (this.#buckets.size <= maximumKeys) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
