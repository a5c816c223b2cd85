/**
 * Losses as a safetensors file. R rows with N targets together; row r has the targets from `row_offsets[r]` up to, not including,
 * `row_offsets[r + 1]`:
 *
 *     row_ids      I64 [R]         3         7         8
 *     row_offsets  I64 [R + 1]     0         2         2         5
 *     tokens       I32 [N]         52 17     ·         4  9  2
 *     nats         F32 [N]         1.5 0.2   ·         3.1 0.7 2.0
 *     top1         U8  [N]         0 1       ·         0 1 0
 *
 * The metadata says what they are of (`LossesOrigin`, numbers in decimal).
 */
import assert from "node:assert/strict";
import { DataLoss } from "@pretrain/errors";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import type { KeptLosses, LossesOrigin, RowLosses } from "./kept-losses.ts";

/** The pieces of the file in their order; the same losses give the same bytes. @throws AssertionError for arrays of unequal lengths */
export function encodeLosses({ origin, rows }: KeptLosses): Iterable<Uint8Array> {
  for (const { rowId, tokens, nats, top1 } of rows) {
    assert(tokens.length === nats.length && top1.length === nats.length, `row ${rowId}: its arrays differ in length`);
  }
  const offsets = rowOffsets(rows);
  const targets = Number(offsets.at(-1));
  const at = (row: number) => Number(offsets[row]);
  const tokens = new Int32Array(targets);
  const nats = new Float32Array(targets);
  const top1 = new Uint8Array(targets);
  for (const [row, losses] of rows.entries()) {
    tokens.set(losses.tokens, at(row));
    nats.set(losses.nats, at(row));
    top1.set(losses.top1, at(row));
  }
  const rowIds = BigInt64Array.from(rows, ({ rowId }) => BigInt(rowId));
  const tensors = new Map<string, StoredTensor>([
    ["row_ids", { dtype: "I64", shape: [rows.length], data: rowIds }],
    ["row_offsets", { dtype: "I64", shape: [offsets.length], data: offsets }],
    ["tokens", { dtype: "I32", shape: [targets], data: tokens }],
    ["nats", { dtype: "F32", shape: [targets], data: nats }],
    ["top1", { dtype: "U8", shape: [targets], data: top1 }],
  ]);
  return encodeSafetensors(tensors, metadataOf(origin));
}

/**
 * The losses of a file; their arrays are views of `bytes`.
 *
 * @param name of the file, for the errors
 * @throws DataLoss `SAFETENSORS_INVALID` or `LOSSES_INVALID`, naming what does not belong together
 */
export function decodeLosses(bytes: Uint8Array, name: string): KeptLosses {
  const refuse = (fault: string): never => {
    throw new DataLoss("LOSSES_INVALID", `${name}: ${fault}; evaluate the checkpoint anew`, { file: name });
  };
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const read = <D extends StoredTensor["dtype"]>(part: string, dtype: D): TensorData<D> => {
    const tensor = tensors.get(part) ?? refuse(`it has no ${part}`);
    if (tensor.dtype !== dtype || tensor.shape.length !== 1) refuse(`${part} is not a list of ${dtype}`);
    return tensor.data as TensorData<D>;
  };
  const parts = {
    rowIds: read("row_ids", "I64"),
    offsets: read("row_offsets", "I64"),
    tokens: read("tokens", "I32"),
    nats: read("nats", "F32"),
    top1: read("top1", "U8"),
  };
  checkParts(parts, refuse);
  return { origin: originOf(metadata, refuse), rows: rowsOf(parts) };
}

type TensorData<D extends StoredTensor["dtype"]> = Extract<StoredTensor, { dtype: D }>["data"];

interface Parts {
  readonly rowIds: BigInt64Array;
  readonly offsets: BigInt64Array;
  readonly tokens: Int32Array;
  readonly nats: Float32Array;
  readonly top1: Uint8Array;
}

function rowOffsets(rows: readonly RowLosses[]): BigInt64Array<ArrayBuffer> {
  const offsets = new BigInt64Array(rows.length + 1);
  for (const [row, { nats }] of rows.entries()) offsets[row + 1] = (offsets[row] ?? 0n) + BigInt(nats.length);
  return offsets;
}

function checkParts({ rowIds, offsets, tokens, nats, top1 }: Parts, refuse: (fault: string) => never): void {
  if (offsets.length !== rowIds.length + 1) refuse(`${offsets.length} offsets for ${rowIds.length} rows`);
  const rises = offsets.every((offset, row) => (row === 0 ? offset === 0n : offset >= (offsets[row - 1] ?? 0n)));
  if (!rises || offsets.at(-1) !== BigInt(nats.length)) {
    refuse(`its offsets do not lead from 0 to its ${nats.length} losses`);
  }
  if (tokens.length !== nats.length || top1.length !== nats.length) {
    refuse(`${nats.length} losses for ${tokens.length} tokens and ${top1.length} marks`);
  }
  if (new Set(rowIds).size !== rowIds.length) refuse("a row stands in it twice");
  if (!rowIds.every((id) => id >= 0n && id <= BigInt(Number.MAX_SAFE_INTEGER))) refuse("a row id is no index");
  if (!nats.every(Number.isFinite)) refuse("a loss is not a finite number");
  if (!top1.every((mark) => mark <= 1)) refuse("a mark in top1 is neither 0 nor 1");
}

function rowsOf({ rowIds, offsets, tokens, nats, top1 }: Parts): RowLosses[] {
  return Array.from(rowIds, (id, row) => {
    const range = [Number(offsets[row]), Number(offsets[row + 1])] as const;
    const arrays = { tokens: tokens.subarray(...range), nats: nats.subarray(...range), top1: top1.subarray(...range) };
    return { rowId: Number(id), ...arrays };
  });
}

function metadataOf(origin: LossesOrigin): Record<string, string> {
  return {
    dataset_sha256: origin.datasetSha256,
    tokenizer_sha256: origin.tokenizerSha256,
    checkpoint_sha256: origin.checkpointSha256,
    context: String(origin.context),
    stride: String(origin.stride),
    marker_rule: origin.markerRule,
  };
}

function originOf(metadata: Readonly<Record<string, string>>, refuse: (fault: string) => never): LossesOrigin {
  const text = (key: string) => metadata[key] ?? refuse(`its metadata has no ${key}`);
  const count = (key: string) => {
    const digits = text(key);
    return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : refuse(`${key} in its metadata is not a count`);
  };
  return {
    datasetSha256: text("dataset_sha256"),
    tokenizerSha256: text("tokenizer_sha256"),
    checkpointSha256: text("checkpoint_sha256"),
    context: count("context"),
    stride: count("stride"),
    markerRule: text("marker_rule"),
  };
}
