/** The loss of every target of some rows, summed for each row, so that sums over any batches agree. */
import { FailedPrecondition } from "@pretrain/errors";
import { textLoss } from "@pretrain/measures";
import { predictions } from "@pretrain/model";
import { countsOfLengths, nextTokenLosses } from "@pretrain/scoring";
import { tf } from "@pretrain/tensorflow-native";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { Row } from "../evaluation/sample-selection.ts";
import type { LoadedModel } from "./load-model.ts";
import type { RowLoss } from "./protocol.ts";

/**
 * Rows side by side, as long as the longest of them:
 *
 *     row 0      bos   a    b   eos          3 targets
 *     row 1      bos   c   eos   0           2 targets; the 0 is padding and no target
 *
 * @throws FailedPrecondition for a row that the model cannot hold, or a loss that is no finite number
 */
export function scoreRows(model: LoadedModel, rows: readonly Row[]): RowLoss[] {
  for (const row of rows) refuseLongRow(row, model.shape.maxSequenceLength);
  const losses = lossesOfRows(model, rows);
  return rows.map((row, index) => rowLoss(row, losses[index] ?? [], model.tokenizer));
}

/** Losses of each row's own targets in nats; padding is cut off. */
function lossesOfRows({ weights, shape }: LoadedModel, rows: readonly Row[]): ArrayLike<number>[] {
  const sequence = Math.max(2, ...rows.map(({ tokens }) => tokens.length));
  const losses = tf.tidy(() => {
    const tokens = tf.tensor2d(paddedIds(rows, sequence), [rows.length, sequence], "int32");
    const lengths = tf.tensor1d(
      Int32Array.from(rows, ({ tokens: { length } }) => length),
      "int32",
    );
    return nextTokenLosses(predictions(weights, tokens, shape), tokens, countsOfLengths(lengths, sequence));
  });
  const values = losses.dataSync<"float32">(); // [rows, sequence - 1]
  losses.dispose();
  const width = sequence - 1;
  return rows.map(({ tokens }, index) => values.subarray(index * width, index * width + targets(tokens).length));
}

function paddedIds(rows: readonly Row[], sequence: number): Int32Array {
  const ids = new Int32Array(rows.length * sequence);
  rows.forEach(({ tokens }, index) => ids.set(tokens, index * sequence));
  return ids;
}

function rowLoss({ rowId, tokens }: Row, losses: ArrayLike<number>, tokenizer: Tokenizer): RowLoss {
  const nats = Array.from(losses).reduce((sum, loss) => sum + loss, 0); // in 64 bits
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
