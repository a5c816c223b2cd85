/** Rows for canaries: real text, ragged, put together so that they are computed in one given shape and no other. */
import type { ScoredShape } from "@pretrain/inference-program";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { Row } from "../../evaluation/sample-selection.ts";

/**
 * Lengths of rows that together are one batch of this shape: the first fills it, each later one is shorter, down to 2 tokens, and of
 * four or more rows one is left out, so that the batch is filled up.
 *
 *     4 x 64      64  43  22  and a row of length 0 that stands for none
 */
export function lengthsIn({ rows, width }: ScoredShape): number[] {
  const count = rows < 4 ? rows : rows - 1;
  return Array.from({ length: count }, (_, row) => Math.max(2, width - Math.floor((row * width) / count)));
}

export function rowsOf(tokens: readonly (readonly number[])[]): Row[] {
  return tokens.map((row, rowId) => ({ rowId, tokens: Uint16Array.from(row) }));
}

/** Rows of text that begin with bos, each at another place of it. */
export function textRows(tokenizer: Tokenizer, lengths: readonly number[]): number[][] {
  const passage = [...tokenizer.encode(text)];
  return lengths.map((length, row) => [
    tokenizer.specialTokens.bos,
    ...Array.from({ length: length - 1 }, (_, index) => passage[(13 * row + index) % passage.length] ?? 0),
  ]);
}

/** Of two scripts, with digits, signs and an indented line: what tokenizers treat differently. */
const text = `The tide was out, and the boats lay on the mud like sleeping animals. "How long until it turns?" asked the
younger of the two; the other counted on his fingers: 4, 5, perhaps 6 hours. 潮水退了，船都躺在泥里。年轻人问：还要多久才涨潮？
    for (let hour = 0; hour < 24; hour += 1) wait(hour);
Nobody answered. The wind, which had come from the north-east all morning, dropped — and then, quite suddenly, it rained.
`;
