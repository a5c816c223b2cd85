/** Losses in units of the text, so that models with different tokenizers can be compared. */
import type { LossTotal } from "./loss-total.ts";

/** The tokens that were scored, in their order. */
export interface ScoredText {
  /** Loss of each token, in nats. */
  readonly losses: readonly number[];
  /**
   * UTF-8 bytes that each token stands for in the text: the length of its own byte string, also when that is a part of a
   * character. (Decoded alone such a token becomes U+FFFD, three bytes that the text does not have.) 0 for a marker.
   */
  readonly tokenBytes: readonly number[];
}

/** What the text itself cost: markers such as eos have no bytes, so neither they nor their loss are in it. */
export function textLoss({ losses, tokenBytes }: ScoredText): LossTotal & { readonly bytes: number } {
  if (losses.length !== tokenBytes.length) {
    throw new RangeError(`${losses.length} losses for ${tokenBytes.length} tokens`);
  }
  const own = losses.filter((_, index) => tokenBytes[index] !== 0);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);
  return { nats: sum(own), tokens: own.length, bytes: sum(tokenBytes) };
}

/** Bits for each byte of UTF-8; of several texts by their sums. `undefined` when there is no byte. */
export function bitsPerByte({ nats, bytes }: { readonly nats: number; readonly bytes: number }): number | undefined {
  return bytes === 0 ? undefined : nats / (Math.LN2 * bytes);
}

/** Bits for each character, a Unicode code point; of several texts by their sums. `undefined` when there is no character. */
export function bitsPerCharacter(text: { readonly nats: number; readonly characters: number }): number | undefined {
  return bitsPerByte({ nats: text.nats, bytes: text.characters });
}

/** Characters that begin in these UTF-8 bytes: so one whose bytes lie in several tokens counts once over them. */
export function charactersBegun(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + Number((byte & 0b1100_0000) !== 0b1000_0000), 0);
}
