/** What reading gives: texts to be learned from, and what was not taken, by reason. Names are part of the dataset report. */

export type Rejection =
  | "ROW_TOO_LONG"
  | "INVALID_UTF8"
  | "BLANK_LINE"
  | "INVALID_JSON"
  | "NOT_AN_OBJECT"
  | "MISSING_TEXT"
  | "TEXT_NOT_A_STRING"
  | "LONE_SURROGATE"
  | "EMPTY_TEXT";

/** The row is kept, but a person should know. */
export type Warning = "BOM_STRIPPED" | "NUL_CHARACTER" | "DUPLICATE_KEY" | "PAD_TOKEN_IN_TEXT";

export interface KeptRow {
  /** Line on which it begins, from 1. */
  readonly line: number;
  readonly text: string;
  readonly warnings: readonly Warning[];
  /** Lines (of JSONL) or paragraphs (of plain text) that it was made of. */
  readonly parts: number;
}

export interface RejectedRow {
  readonly line: number;
  readonly rejection: Rejection;
}

export type SourceRow = KeptRow | RejectedRow;

/** The markers of MiniMind's vocabulary, as they stand in texts that carry them already. */
export const markers = { pad: "<|endoftext|>", bos: "<|im_start|>", eos: "<|im_end|>" } as const;

/** The text alone: without the one marker at its begin and the one at its end, where they are. */
export function withoutMarkers(text: string): string {
  const begun = text.startsWith(markers.bos) ? text.slice(markers.bos.length) : text;
  return begun.endsWith(markers.eos) ? begun.slice(0, -markers.eos.length) : begun;
}

/** Nothing but white space, which is no text to learn from. */
export function isBlank(text: string): boolean {
  return /^\p{White_Space}*$/u.test(text);
}

/** What is odd about a text of any format. */
export function textWarnings(text: string): Warning[] {
  const warnings: Warning[] = [];
  if (text.includes("\0")) warnings.push("NUL_CHARACTER");
  if (text.includes(markers.pad)) warnings.push("PAD_TOKEN_IN_TEXT");
  return warnings;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // a mark inside the file is a character like any other

/** The characters of a line, or undefined when its bytes are no UTF-8. */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // the only error of a fatal decoder
  }
}
