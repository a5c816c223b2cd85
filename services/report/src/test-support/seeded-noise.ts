/** Test support: numbers that look random and are the same every time. */

/** @returns the next number, evenly spread in -1 to 1 (xorshift32). */
export function seededNoise(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
