/**
 * Byte pair encoding by its definition: of all neighbours that a merge names, the pair of the lowest rank becomes one token,
 * the leftmost first, until no merge applies. With a heap of the candidates it takes n log n steps for n bytes, which the
 * fast engine does not: tiktoken 1.0.22 needs 4 s for one word of 100,000 letters, and four times that for twice as many.
 */
import { BinaryHeap } from "./binary-heap.ts";
import { textPieces } from "./text-pieces.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

const none = -1;
// A candidate is one number, rank * 2^32 + position: ordered by rank, then from the left; ranks stay below 2^17.
const positions = 2 ** 32;

export class BytePairEncoding {
  readonly #idOfByte: readonly number[];
  /** Key: left * 65536 + right. */
  readonly #rankOfPair = new Map<number, number>();
  readonly #merged: readonly number[];

  /** @throws TokenizerError when one of the 256 bytes has no token, so that some text would have no ids */
  constructor(file: TokenizerFile) {
    this.#idOfByte = idsOfBytes(file);
    this.#merged = file.merges.map(({ merged }) => merged);
    for (const [rank, { left, right }] of file.merges.entries()) {
      const key = pairKey(left, right);
      if (this.#rankOfPair.has(key)) throw new TokenizerError(`model.merges[${rank}]`, "stands there twice");
      this.#rankOfPair.set(key, rank);
    }
  }

  /** The ids of a text without added tokens: of each of its pieces, one after the other. */
  encodeText(text: string): number[] {
    const encoder = new TextEncoder();
    const ids: number[] = [];
    for (const piece of textPieces(text)) {
      for (const id of this.encodePiece(encoder.encode(piece))) ids.push(id);
    }
    return ids;
  }

  /** The ids of one piece. */
  encodePiece(bytes: Uint8Array): number[] {
    // Position p holds a token while tokens[p] is not `none`; next and previous link the tokens that are left.
    const tokens = Int32Array.from(bytes, (byte) => this.#idOfByte[byte] ?? none);
    const next = Int32Array.from(bytes, (_, position) => position + 1);
    const previous = Int32Array.from(bytes, (_, position) => position - 1);
    const candidates = new BinaryHeap<number>((a, b) => a < b);
    const rankAt = (position: number) => {
      const right = next[position] ?? bytes.length;
      return right < bytes.length
        ? this.#rankOfPair.get(pairKey(tokens[position] ?? none, tokens[right] ?? none))
        : undefined;
    };
    const propose = (position: number) => {
      const rank = position >= 0 ? rankAt(position) : undefined;
      if (rank !== undefined) candidates.push(rank * positions + position);
    };
    for (let position = 0; position < bytes.length; position += 1) propose(position);
    for (let top = candidates.pop(); top !== undefined; top = candidates.pop()) {
      const [rank, position] = [Math.floor(top / positions), top % positions];
      if (tokens[position] === none || rankAt(position) !== rank) continue; // a neighbour was merged away meanwhile
      const right = next[position] ?? bytes.length;
      const after = next[right] ?? bytes.length;
      tokens[position] = this.#merged[rank] ?? none;
      tokens[right] = none;
      next[position] = after;
      if (after < bytes.length) previous[after] = position;
      propose(previous[position] ?? none);
      propose(position);
    }
    return Array.from(tokens.filter((token) => token !== none));
  }
}

/** The key of two neighbours in a map. */
export function pairKey(left: number, right: number): number {
  return left * 65_536 + right;
}

function idsOfBytes({ tokenBytes, addedTokens }: TokenizerFile): number[] {
  const added = new Set(addedTokens.values());
  const ids = Array.from({ length: 256 }, () => none);
  for (const [id, bytes] of tokenBytes.entries()) if (bytes.length === 1 && !added.has(id)) ids[bytes[0] ?? 0] = id;
  const missing = ids.indexOf(none);
  if (missing !== none)
    throw new TokenizerError("model.vocab", `has no token for the byte ${missing}; all 256 are needed`);
  return ids;
}
