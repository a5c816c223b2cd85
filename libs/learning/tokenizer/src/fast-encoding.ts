/**
 * The same ids by tiktoken (WebAssembly), ten times as fast as anything written in JavaScript here. It knows no merges: of
 * all neighbours whose bytes together are a token, the token with the lowest id is made first. That is byte pair encoding
 * exactly when the conditions of `isRanked` hold, which every trained vocabulary fulfils and which is checked at each load.
 */
import { Tiktoken } from "tiktoken/lite";
import type { BytePairEncoding } from "./byte-pair-encoding.ts";
import { piecePattern } from "./text-pieces.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/**
 * Whether ids alone decide all merges: (1) every token of two bytes or more has exactly one merge, (2) the later merge has
 * the greater id, (3) every token's own bytes are encoded as that token.
 *
 * Why that is enough: suppose the engines differ first where tiktoken joins x, y into t although t's merge is p, q. Until
 * then both did the same inside these bytes, and nothing outside matters, since no token crosses the ends of x and y. So
 * encoding the bytes of t alone would come to x, y as well, where it ends without t: against (3).
 */
export function isRanked({ tokenBytes, addedTokens, merges }: TokenizerFile, exact: BytePairEncoding): boolean {
  const added = new Set(addedTokens.values());
  const longTokens = tokenBytes.filter((bytes, id) => bytes.length > 1 && !added.has(id)).length;
  const areIdsRising = merges.every(({ merged }, rank) => rank === 0 || merged > (merges[rank - 1]?.merged ?? merged));
  if (merges.length !== longTokens || !areIdsRising) return false;
  return merges.every(({ merged }) => {
    const ids = exact.encodePiece(tokenBytes[merged] ?? new Uint8Array());
    return ids.length === 1 && ids[0] === merged;
  });
}

/** tiktoken with the vocabulary of a file; `encode(text, "all")` finds added tokens by their names. */
export function tiktokenOf(file: TokenizerFile): Tiktoken {
  return new Tiktoken(ranksOf(file), Object.fromEntries(file.addedTokens), piecePattern);
}

/** tiktoken's own format: lines of `! <first id> <bytes in base64> <bytes> …`, a line for each run of ids without added tokens. */
function ranksOf({ tokenBytes, addedTokens }: TokenizerFile): string {
  const added = new Set(addedTokens.values());
  const lines: string[][] = [];
  for (const [id, bytes] of tokenBytes.entries()) {
    if (added.has(id)) continue;
    if (id === 0 || added.has(id - 1)) lines.push(["!", String(id)]);
    lines.at(-1)?.push(bytes.toBase64());
  }
  return lines.map((line) => line.join(" ")).join("\n");
}
