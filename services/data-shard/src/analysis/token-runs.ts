/** The runs of a row: every stretch of `runTokens` neighbouring tokens that holds no marker. */

/** As many tokens as others compare when they ask whether a test text was trained on (Brown et al. 2020, appendix C: 13-grams). */
export const runTokens = 13;

/** By id of the vocabulary: whether a token is a marker. */
export type Markers = Uint8Array;

/** @param ids of the special tokens */
export function markersOf(ids: Iterable<number>): Markers {
  const markers = new Uint8Array(2 ** 16);
  for (const id of ids) markers[id] = 1;
  return markers;
}

/** The tokens of a row that are no markers, in their order. */
export function withoutMarkers(row: Uint16Array, markers: Markers): Uint16Array {
  const kept = new Uint16Array(row.length);
  let length = 0;
  for (const id of row) if (markers[id] === 0) kept[length++] = id; // `filter` takes ten times as long
  return kept.subarray(0, length);
}

const base = 0x01000193; // odd, so that a factor of it loses no bit
const baseToRunLength = Array.from({ length: runTokens }).reduce((power: number) => Math.imul(power, base), 1);

/**
 * Calls `visit` at the begin of each run. The hash rolls: what it costs does not depend on the length of a run
 * (Karp and Rabin 1987, modulo 2^32).
 * @param visit start: index of the run's first token in `row`; hash: equal for equal runs, 32 bits with a sign
 */
export function forEachRun(row: Uint16Array, markers: Markers, visit: (start: number, hash: number) => void): void {
  let rolling = 0;
  let tokens = 0; // since the last marker
  for (let index = 0; index < row.length; index += 1) {
    const id = row[index] ?? 0;
    if (markers[id] === 1) {
      rolling = 0;
      tokens = 0;
      continue;
    }
    rolling = (Math.imul(rolling, base) + id + 1) | 0;
    tokens += 1;
    if (tokens > runTokens) rolling = (rolling - Math.imul((row[index - runTokens] ?? 0) + 1, baseToRunLength)) | 0;
    if (tokens >= runTokens) visit(index - runTokens + 1, mixed(rolling));
  }
}

/** Every bit of the sum reaches the low ones, which choose a place in the table (the end of MurmurHash3, public domain). */
function mixed(sum: number): number {
  let hash = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
