/**
 * StreamBatches: the rows of epoch after epoch, in an order that is a function of the request alone. A batch is made when it
 * is taken, so a slow reader makes the service wait; what HTTP/2 holds of it on the way is bounded by its windows.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument, OutOfRange } from "@pretrain/errors";
import { type StreamBatchesRequest, type StreamBatchesResponse, StreamBatchesResponseSchema } from "@pretrain/proto";
import { rowOrder, type ShardedDataset, type SplitName } from "@pretrain/shards";
import { type ReadyDatasets, splitNameOf } from "../stores/ready-datasets.ts";

const maximumBatchBytes = 64 * 2 ** 20;

export const streamBatches = ({
  ready,
  onBatch,
}: {
  readonly ready: ReadyDatasets;
  readonly onBatch: (rows: number) => void;
}) =>
  async function* (request: StreamBatchesRequest): AsyncGenerator<StreamBatchesResponse> {
    const { shards } = await ready.open(request.dataset);
    const split = splitNameOf(request.split);
    const { rows } = shards.manifest.splits[split];
    const start = startOf(request, rows);
    expectServable(request, shards, rows);
    for (let { epoch, row } = start; epoch <= request.epochs; epoch += 1, row = 0) {
      const order = rowOrder({
        rows,
        seed: request.seed,
        epoch,
        shuffle: request.shuffle === "none" ? "none" : "per_epoch",
      });
      for (; row < rows; row += request.batchRows) {
        const places = Array.from({ length: Math.min(request.batchRows, rows - row) }, (_, index) => row + index);
        const end = row + places.length;
        const next = end < rows ? { epoch, row: BigInt(end) } : { epoch: epoch + 1, row: 0n };
        yield create(StreamBatchesResponseSchema, {
          epoch,
          next,
          ...(await batchOf(shards, split, places.map(order))),
        });
        onBatch(places.length);
      }
    }
  };

/** @throws OutOfRange for a cursor behind the end of its epoch */
function startOf({ start }: StreamBatchesRequest, rows: number): { epoch: number; row: number } {
  const row = Number(start?.row ?? 0n);
  if (row <= rows) return { epoch: start?.epoch || 1, row };
  throw new OutOfRange("CURSOR_BEHIND_END", `start.row is ${row}, an epoch has ${rows} rows`, {
    row: String(row),
    rows: String(rows),
  });
}

function expectServable(
  { dataset, batchRows }: StreamBatchesRequest,
  { manifest }: ShardedDataset,
  rows: number,
): void {
  const batchBytes = batchRows * manifest.identity.maximumSequenceLength * 2;
  if (batchBytes > maximumBatchBytes) {
    const description = `${batchRows} rows of ${manifest.identity.maximumSequenceLength} tokens are ${batchBytes} bytes; at most ${maximumBatchBytes} fit one batch`;
    throw new InvalidArgument([{ field: "batch_rows", description }]);
  }
  if (rows === 0)
    throw new FailedPrecondition("EMPTY_SPLIT", `this split of ${dataset} has no rows`, { name: dataset });
}

type BatchContent = Pick<MessageInitShape<typeof StreamBatchesResponseSchema>, "rowIds" | "lengths" | "tokens">;

async function batchOf(shards: ShardedDataset, split: SplitName, rowIds: readonly number[]): Promise<BatchContent> {
  const rows = await shards.readRows(split, rowIds);
  const { maximumSequenceLength } = shards.manifest.identity;
  const padded = new Uint16Array(rows.length * maximumSequenceLength); // zeros: the padding
  for (const [index, ids] of rows.entries()) padded.set(ids, index * maximumSequenceLength);
  return { rowIds: rowIds.map(BigInt), lengths: rows.map((ids) => ids.length), tokens: new Uint8Array(padded.buffer) };
}
