/** How often each pair of tokens stands side by side, and where; the most frequent one on demand. */
import { BinaryHeap } from "./binary-heap.ts";

/** A pair as it was counted when it was offered; its count may have fallen since, never risen. */
interface Offer {
  readonly key: number;
  readonly count: number;
}

export class PairCounts {
  readonly #counts = new Map<number, number>();
  readonly #positions = new Map<number, number[]>();
  readonly #offers = new BinaryHeap<Offer>((a, b) => a.count > b.count || (a.count === b.count && a.key < b.key));
  /** Pairs that came up since the last call of `offerNew`. A pair comes up only with the newer of its two tokens. */
  readonly #newKeys = new Set<number>();

  /** One more place where the pair stands, in a piece that occurs `weight` times. */
  add(key: number, position: number, weight: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + weight);
    const positions = this.#positions.get(key);
    if (positions === undefined) this.#positions.set(key, [position]);
    else positions.push(position);
    this.#newKeys.add(key);
  }

  /** One place less. It stays in the list of positions; whoever takes the pair looks whether it still stands there. */
  remove(key: number, weight: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) - weight);
  }

  /** Makes the pairs added since the last call eligible, with what they count now. */
  offerNew(): void {
    for (const key of this.#newKeys) this.#offers.push({ key, count: this.#counts.get(key) ?? 0 });
    this.#newKeys.clear();
  }

  /** The pair with the highest count, of equals the smallest key; it is not offered again. Undefined when none is left. */
  takeMostFrequent(): { readonly key: number; readonly positions: readonly number[] } | undefined {
    for (let top = this.#offers.pop(); top !== undefined; top = this.#offers.pop()) {
      const { key } = top;
      const count = this.#counts.get(key) ?? 0;
      if (count === top.count && count > 0) return { key, positions: this.#take(key) };
      if (count > 0) this.#offers.push({ key, count });
    }
    return undefined;
  }

  #take(key: number): readonly number[] {
    const positions = this.#positions.get(key) ?? [];
    this.#positions.delete(key);
    return positions;
  }
}
