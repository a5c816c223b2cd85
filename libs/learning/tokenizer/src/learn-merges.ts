/**
 * Which neighbours to merge, in which order: always the pair that stands most often side by side, and of equals the one
 * with the smaller ids, left before right. Only the places that a merge touches are counted again, so the work is that of
 * the changes and not of the text.
 */
import { pairKey } from "./byte-pair-encoding.ts";
import { PairCounts } from "./pair-counts.ts";
import type { Merge } from "./tokenizer-file.ts";

/** The bytes of all different pieces in one row, linked to chains: a piece is a chain, a token a link of it. */
interface Chains {
  readonly tokens: Uint16Array;
  /** Position of the neighbour, `none` at a piece's end. After a merge positions inside the token belong to no chain. */
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** How often the position's piece stands in the text. */
  readonly weights: Float64Array;
}

const none = -1;

/**
 * @param pieceCounts how often each piece stands in the text
 * @param idOfByte the token of each byte
 * @param firstId the id of the first merge's token; the others follow
 * @param maximumMerges fewer when no two tokens are side by side any more
 */
export function learnMerges(
  pieceCounts: ReadonlyMap<string, number>,
  idOfByte: ArrayLike<number>,
  firstId: number,
  maximumMerges: number,
): Merge[] {
  const chains = chainsOf(pieceCounts, idOfByte);
  const pairs = countPairs(chains);
  const merges: Merge[] = [];
  while (merges.length < maximumMerges) {
    const pair = pairs.takeMostFrequent();
    if (pair === undefined) break;
    const merge = { left: Math.floor(pair.key / 65_536), right: pair.key % 65_536, merged: firstId + merges.length };
    for (const position of pair.positions) apply(merge, position, chains, pairs);
    pairs.offerNew();
    merges.push(merge);
  }
  return merges;
}

function chainsOf(pieceCounts: ReadonlyMap<string, number>, idOfByte: ArrayLike<number>): Chains {
  const encoder = new TextEncoder();
  let size = 0;
  for (const piece of pieceCounts.keys()) size += encoder.encode(piece).length;
  const chains = {
    tokens: new Uint16Array(size),
    next: new Int32Array(size),
    previous: new Int32Array(size),
    weights: new Float64Array(size),
  };
  let start = 0;
  for (const [piece, count] of pieceCounts) {
    const bytes = encoder.encode(piece);
    for (const [index, byte] of bytes.entries()) {
      chains.tokens[start + index] = idOfByte[byte] ?? 0;
      chains.next[start + index] = index + 1 < bytes.length ? start + index + 1 : none;
      chains.previous[start + index] = index > 0 ? start + index - 1 : none;
    }
    chains.weights.fill(count, start, start + bytes.length);
    start += bytes.length;
  }
  return chains;
}

function countPairs({ tokens, next, weights }: Chains): PairCounts {
  const pairs = new PairCounts();
  for (const [position, token] of tokens.entries()) {
    const neighbour = next[position] ?? none;
    if (neighbour !== none) pairs.add(pairKey(token, tokens[neighbour] ?? 0), position, weights[position] ?? 0);
  }
  pairs.offerNew();
  return pairs;
}

/**
 * Merges the pair at `position`, if it still stands there (of `a a a` only the first two become one token):
 *
 *     before  left right after          before merged after
 *     one pair less on each side, one new pair on each side
 */
function apply({ left, right, merged }: Merge, position: number, chains: Chains, pairs: PairCounts): void {
  const { tokens, next, previous, weights } = chains;
  const second = next[position] ?? none;
  if (second === none || tokens[position] !== left || tokens[second] !== right) return;
  const weight = weights[position] ?? 0;
  const before = previous[position] ?? none;
  const after = next[second] ?? none;
  if (before !== none) {
    pairs.remove(pairKey(tokens[before] ?? 0, left), weight);
    pairs.add(pairKey(tokens[before] ?? 0, merged), before, weight);
  }
  if (after !== none) {
    pairs.remove(pairKey(right, tokens[after] ?? 0), weight);
    pairs.add(pairKey(merged, tokens[after] ?? 0), position, weight);
    previous[after] = position;
  }
  tokens[position] = merged;
  next[position] = after;
  next[second] = none; // no pair begins here any more
}
