/** One change to an input as bytes: bits, lengths, pieces of it and of others. */
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { hostileIntegers, hostilePieces, hostileTexts } from "./hostile.ts";

/** Longest input, in bytes, but for a rare one. */
const usualLimitBytes = 32 * 1024;
const rareLimitBytes = 512 * 1024;

type Change = (bytes: Uint8Array, random: SeededRandom, others: readonly Uint8Array[]) => Uint8Array;

const changes: readonly Change[] = [
  function flipBit(bytes, random) {
    const changed = bytes.slice();
    const at = random.integer(0, changed.length - 1);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(0, 7));
    return changed;
  },
  function setByte(bytes, random) {
    const changed = bytes.slice();
    changed[random.integer(0, changed.length - 1)] = random.integer(0, 255);
    return changed;
  },
  function lieAboutANumber(bytes, random) {
    const changed = bytes.slice();
    const view = new DataView(changed.buffer);
    const isLittle = random.fraction() < 0.7;
    const [size, write] = random.oneOf([
      [1, (at: number, value: bigint) => view.setUint8(at, Number(value & 0xffn))],
      [2, (at: number, value: bigint) => view.setUint16(at, Number(value & 0xffffn), isLittle)],
      [4, (at: number, value: bigint) => view.setUint32(at, Number(value & 0xffffffffn), isLittle)],
      [8, (at: number, value: bigint) => view.setBigUint64(at, value, isLittle)],
    ] as const);
    const value = random.oneOf([...hostileIntegers, BigInt(bytes.length), BigInt(random.integer(0, 300))]);
    if (changed.length >= size) write(random.integer(0, changed.length - size), value);
    return changed;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.integer(0, bytes.length));
  },
  function takeOut(bytes, random) {
    const [begin, end] = range(bytes, random);
    return joined(bytes.subarray(0, begin), bytes.subarray(end));
  },
  function repeat(bytes, random) {
    const [begin, end] = range(bytes, random);
    const piece = bytes.subarray(begin, end);
    const times = random.fraction() < 0.02 ? random.integer(100, 5000) : random.integer(1, 8);
    const limit = random.fraction() < 0.02 ? rareLimitBytes : usualLimitBytes;
    const copies = Math.max(1, Math.min(times, Math.floor((limit - bytes.length) / Math.max(1, piece.length))));
    return joined(bytes.subarray(0, end), ...Array<Uint8Array>(copies).fill(piece), bytes.subarray(end));
  },
  function putIn(bytes, random) {
    const at = random.integer(0, bytes.length);
    const piece = Uint8Array.from({ length: random.integer(1, 16) }, () => random.integer(0, 255));
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
  },
  function spliceAnother(bytes, random, others) {
    const other = random.oneOf(others);
    const [begin, end] = range(other, random);
    const [from, to] = range(bytes, random);
    return joined(bytes.subarray(0, from), other.subarray(begin, end), bytes.subarray(to));
  },
  function putInText(bytes, random) {
    const at = random.integer(0, bytes.length);
    const text = random.oneOf(random.fraction() < 0.6 ? hostilePieces : hostileTexts);
    return joined(bytes.subarray(0, at), utf8(text), bytes.subarray(at + random.integer(0, 4)));
  },
  function nestDeeply(bytes, random) {
    if (random.fraction() > 0.1) return bytes;
    const piece = random.oneOf(["[", "{", '{"a":', "- ", "(", "[[", "<a>"]);
    const depth = random.oneOf([10, 70, 1000, 10_000, 100_000]);
    const at = random.integer(0, bytes.length);
    return joined(bytes.subarray(0, at), utf8(piece.repeat(depth)), bytes.subarray(at));
  },
];

/** @param dictionary words of the parser's own   @param others inputs that pieces may come from */
export function changedBytes(
  bytes: Uint8Array,
  random: SeededRandom,
  dictionary: readonly string[],
  others: readonly Uint8Array[],
): Uint8Array {
  if (dictionary.length > 0 && random.fraction() < 0.15) {
    const [begin, end] = range(bytes, random);
    return joined(bytes.subarray(0, begin), utf8(random.oneOf(dictionary)), bytes.subarray(end));
  }
  if (bytes.length === 0) return utf8(random.oneOf(hostileTexts));
  return random.oneOf(changes)(bytes, random, others);
}

/** A short stretch more often than a long one. */
function range(bytes: Uint8Array, random: SeededRandom): [begin: number, end: number] {
  const begin = random.integer(0, bytes.length);
  const longest = random.fraction() < 0.8 ? 16 : bytes.length;
  return [begin, Math.min(bytes.length, begin + random.integer(0, longest))];
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
