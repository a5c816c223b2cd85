/** The validation split, as the data-shard service hands it out: in the order of the file, a batch at a time. */
import { DataLoss } from "@pretrain/errors";
import { type DataShardService, Split, type StreamBatchesResponse } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { Row } from "../evaluation/sample-selection.ts";

/** Reads no further ahead than the connection's own window. @throws what the service answers */
export async function* validationRows(
  dataShard: Pick<PretrainClient<typeof DataShardService>, "streamBatches">,
  dataset: string,
  batchRows: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  const request = { dataset, split: Split.VALIDATION, batchRows, shuffle: "none", epochs: 1 };
  for await (const batch of dataShard.streamBatches(request, { signal })) yield rowsOf(batch);
}

/** @throws DataLoss when ids, lengths and tokens do not belong together */
export function rowsOf({ rowIds, lengths, tokens }: StreamBatchesResponse): readonly Row[] {
  const width = tokens.byteLength / 2 / Math.max(1, rowIds.length);
  const fits = lengths.every((length) => length >= 0 && length <= width);
  if (!Number.isInteger(width) || lengths.length !== rowIds.length || !fits) {
    const sizes = `${rowIds.length} ids, ${lengths.length} lengths, ${tokens.byteLength} bytes of tokens`;
    throw new DataLoss("BATCH_INCONSISTENT", `a batch of ${sizes}: these do not belong together`);
  }
  const view = new DataView(tokens.buffer, tokens.byteOffset, tokens.byteLength);
  return rowIds.map((rowId, index) => ({
    rowId: Number(rowId),
    tokens: Uint16Array.from({ length: lengths[index] ?? 0 }, (_, position) =>
      view.getUint16(2 * (index * width + position), true),
    ),
  }));
}
