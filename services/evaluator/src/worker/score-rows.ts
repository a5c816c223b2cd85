/** The loss of every target of some rows, summed for each row, so that sums over any batches agree. */
import { FailedPrecondition } from "@pretrain/errors";
import { textLoss } from "@pretrain/measures";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { Row } from "../evaluation/sample-selection.ts";
import type { LoadedModel } from "./load-model.ts";
import type { RowLoss } from "./protocol.ts";

/**
 * @param rowsAtOnce computed together at most, which changes no number
 * @throws FailedPrecondition for a row that the model cannot hold, or a loss that is no finite number
 */
export function scoreRows(
  { program, shape, tokenizer }: LoadedModel,
  rows: readonly Row[],
  rowsAtOnce: number,
): RowLoss[] {
  for (const row of rows) refuseLongRow(row, shape.maxSequenceLength);
  const losses = program.losses(
    rows.map(({ tokens }) => tokens),
    rowsAtOnce,
  );
  return rows.map((row, index) => rowLoss(row, losses[index] ?? new Float32Array(), tokenizer));
}

function rowLoss({ rowId, tokens }: Row, losses: Float32Array, tokenizer: Tokenizer): RowLoss {
  const nats = losses.reduce((sum, loss) => sum + loss, 0); // in 64 bits
  if (!Number.isFinite(nats)) {
    throw new FailedPrecondition("NOT_FINITE", `row ${rowId}: its loss is ${nats}`, { row: String(rowId) });
  }
  const tokenBytes = Array.from(targets(tokens), (id) => textBytes(tokenizer, id));
  const text = textLoss({ losses: Array.from(losses), tokenBytes });
  return { rowId, nats, tokens: losses.length, textNats: text.nats, bytes: text.bytes };
}

/** Every token but the first, which nothing predicts. */
function targets(tokens: Uint16Array): Uint16Array {
  return tokens.subarray(1);
}

/** A marker stands for no text, though its name has bytes. */
function textBytes(tokenizer: Tokenizer, id: number): number {
  return Object.values(tokenizer.specialTokens).includes(id) ? 0 : tokenizer.tokenBytes(id).length;
}

function refuseLongRow({ rowId, tokens }: Row, maxSequenceLength: number): void {
  if (tokens.length <= maxSequenceLength) return;
  const message = `row ${rowId} has ${tokens.length} tokens, the model's sequences ${maxSequenceLength}`;
  throw new FailedPrecondition("ROW_TOO_LONG", message, { row: String(rowId) });
}
