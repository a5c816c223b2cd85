/**
 * The order in which an epoch hands out rows, as a function from place to row: nothing is stored, any place can be asked
 * for, and a resumed run continues exactly where it was.
 *
 * A shuffled order is a Feistel network: the place, written with an even number of bits, is cut into halves that are mixed
 * into each other in turn. Each round can be undone, so no two places give the same row, whatever the mixing does:
 *
 *     left, right  →  right, left XOR mix(right, key of the round)
 *
 * The network permutes a power of four that is at least the number of rows (less than four times as many). A result that
 * is no row is put in again, until it is one ("cycle walking"); since the way is a permutation, that ends and stays one.
 * Source: Black and Rogaway, Ciphers with Arbitrary Finite Domains, 2002. It is no cipher here: only evenness matters.
 */
import { OutOfRange } from "@pretrain/errors";

/** The row at a place of the epoch's order, both from 0. @throws OutOfRange for a place that the epoch does not have */
export type RowOrder = (place: number) => number;

const rounds = 8;

/**
 * @param rows in the split, below 2^52
 * @param shuffle `none`: the order of the file. `per_epoch`: another in each epoch, a function of seed and epoch
 * @param seed unsigned 32-bit
 * @param epoch from 1
 */
export function rowOrder({
  rows,
  seed,
  epoch,
  shuffle,
}: {
  readonly rows: number;
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: "none" | "per_epoch";
}): RowOrder {
  const permuted = shuffle === "none" ? (place: number) => place : permutation(rows, seed, epoch);
  return (place) => {
    if (Number.isInteger(place) && place >= 0 && place < rows) return permuted(place);
    throw new OutOfRange("NO_SUCH_PLACE", `an epoch has the places 0 to ${rows - 1}, not ${place}`, {
      place: String(place),
    });
  };
}

function permutation(rows: number, seed: number, epoch: number): (place: number) => number {
  let half = 2; // what one half can hold
  while (half * half < rows) half *= 2;
  const keys = Array.from({ length: rounds }, (_, round) => mixed(mixed(mixed(seed) ^ epoch) ^ round));
  const once = (value: number) => {
    let [left, right] = [Math.floor(value / half), value % half];
    for (const key of keys) [left, right] = [right, (left ^ mixed(right ^ key)) & (half - 1)];
    return left * half + right;
  };
  return (place) => {
    let value = once(place);
    while (value >= rows) value = once(value);
    return value;
  };
}

/** A 32-bit number whose every bit depends on all bits of the argument (the last step of MurmurHash3, with an offset for 0). */
function mixed(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
