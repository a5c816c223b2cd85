/** The loss of every target of some rows, with its sum for each row, so that sums over any batches agree. */
import { FailedPrecondition } from "@pretrain/errors";
import type { RowScores } from "@pretrain/inference-program";
import { charactersBegun, type ScoringWindow, textLoss } from "@pretrain/measures";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { Row } from "../evaluation/sample-selection.ts";
import type { LoadedModel } from "./load-model.ts";
import type { RowLoss } from "./protocol.ts";

/**
 * @param rowsAtOnce computed together at most, which changes no number
 * @param window how rows are scored that are longer than its context; by default the context is all positions of the model
 * @throws FailedPrecondition for a token that the model does not have, or a loss that is no finite number
 */
export function scoreRows(
  { program, shape, tokenizer }: LoadedModel,
  rows: readonly Row[],
  rowsAtOnce: number,
  window: ScoringWindow = { context: shape.maxSequenceLength, stride: shape.maxSequenceLength },
): RowLoss[] {
  for (const row of rows) refuseUnknownTokens(row, shape.vocabularySize);
  const scores = program.scores(
    rows.map(({ tokens }) => tokens),
    rowsAtOnce,
    window,
  );
  const textOf = textsOfTokens(tokenizer);
  return rows.map((row, index) => {
    const ofRow = scores[index];
    if (ofRow === undefined) throw new Error(`row ${row.rowId} was not scored`);
    return rowLoss(row, ofRow, window.context, textOf);
  });
}

function rowLoss(
  { rowId, tokens }: Row,
  { losses, likeliest, confidence }: RowScores,
  context: number,
  textOf: (id: number) => TokenText,
): RowLoss {
  const nats = losses.reduce((sum, loss) => sum + loss, 0); // in 64 bits
  if (!Number.isFinite(nats)) {
    throw new FailedPrecondition("NOT_FINITE", `row ${rowId}: its loss is ${nats}`, { row: String(rowId) });
  }
  const ids = Int32Array.from(targets(tokens));
  const top1 = Uint8Array.from(ids, (id, target) => Number(likeliest[target] === id));
  const texts = Array.from(ids, textOf);
  const text = textLoss({ losses: Array.from(losses), tokenBytes: texts.map(({ bytes }) => bytes) });
  return {
    rowId,
    nats,
    tokens: losses.length,
    context: Math.min(losses.length, context),
    textNats: text.nats,
    bytes: text.bytes,
    characters: texts.reduce((sum, { characters }) => sum + characters, 0),
    targets: { tokens: ids, nats: losses, top1, confidence },
  };
}

function refuseUnknownTokens({ rowId, tokens }: Row, vocabularySize: number): void {
  const unknown = tokens.find((id) => id >= vocabularySize);
  if (unknown === undefined) return;
  const message = `row ${rowId} has the token ${unknown}; the model has 0 to ${vocabularySize - 1}`;
  throw new FailedPrecondition("TOKEN_UNKNOWN", message, { row: String(rowId) });
}

/** Every token but the first, which nothing predicts. */
function targets(tokens: Uint16Array): Uint16Array {
  return tokens.subarray(1);
}

/** UTF-8 bytes that a token stands for, and the characters that begin in them. */
interface TokenText {
  readonly bytes: number;
  readonly characters: number;
}

/** A marker stands for no text, though its name has bytes. */
function textsOfTokens(tokenizer: Tokenizer): (id: number) => TokenText {
  const known = new Map<number, TokenText>(
    Object.values(tokenizer.specialTokens).map((marker) => [marker, { bytes: 0, characters: 0 }]),
  );
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const bytes = tokenizer.tokenBytes(id);
    const text = { bytes: bytes.length, characters: charactersBegun(bytes) };
    known.set(id, text);
    return text;
  };
}
