/**
 * DataShard as the trainer sees it, in this process: packing that takes two questions, rows that follow from their index, the
 * same batches for the same request. The real one is met in the integration tests.
 */
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  DataShardService,
  DatasetReportSchema,
  DatasetSchema,
  Dataset_State as State,
  type StreamBatchesRequest,
  StreamBatchesResponseSchema,
} from "@pretrain/proto";
import { type GrpcServer, serveGrpc, service } from "@pretrain/rpc";

export const rows = 37;
export const width = 12;
export const vocabulary = 300;

export interface FakeDataShard extends GrpcServer {
  /** Batches of later micro-steps are held back: what makes a run wait for the one who disturbs it. Infinity to begin with. */
  lastMicroStep: number;
  /** While true, no dataset becomes ready: what makes an attempt wait before its model is built. False to begin with. */
  holdsDatasets: boolean;
  /** Key and digest of the tokenizer.json of its datasets; of none to begin with. */
  tokenizer: { readonly blob: string; readonly sha256: string };
}

/** A row unlike all others: its tokens stand in no other one. */
export const garbageRow = 23;

/** `data.path` decides what happens: `missing.txt` is refused, `broken.txt` fails while it is packed. */
export async function serveFakeDataShard(): Promise<FakeDataShard> {
  const tokenizer = { blob: "", sha256: "" };
  const shared = { lastMicroStep: Number.POSITIVE_INFINITY, holdsDatasets: false, tokenizer };
  let asked = 0;
  const dataset = (state: State, error = "") =>
    create(DatasetSchema, {
      name: "datasets/rows",
      state,
      error,
      trainRows: BigInt(rows),
      validationRows: 3n,
      manifestSha256: "d".repeat(64),
      vocabularySize: vocabulary,
      tokenizerBlob: shared.tokenizer.blob,
      tokenizerSha256: shared.tokenizer.sha256,
    });
  const methods = service(DataShardService, {
    packDataset({ settings }) {
      asked = 0;
      if (settings?.path === "missing.txt") {
        throw new InvalidArgument([{ field: "settings.path", description: "missing.txt does not exist" }]);
      }
      return settings?.path === "broken.txt"
        ? dataset(State.FAILED, "broken.txt: no row can be used")
        : dataset(State.PENDING);
    },
    getDataset() {
      asked += 1;
      return dataset(asked < 2 || shared.holdsDatasets ? State.PACKING : State.READY);
    },
    getDatasetReport: () =>
      create(DatasetReportSchema, { dataset: "datasets/rows", manifestSha256: "d".repeat(64), rowsRead: 40n }),
    async *streamBatches(request, { signal }) {
      for (const { microStep, batch } of batchesOf(request)) {
        while (microStep > shared.lastMicroStep) await pause(10, undefined, { signal });
        yield batch;
      }
    },
    listDatasets: () => ({}),
    readSequences: () => ({}),
    analyzeDataset: () => ({}),
  });
  const log = createLog("fake-data-shard", "error");
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [methods], log });
  const { address, healthAddress } = server;
  return Object.assign(shared, { address, healthAddress, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() });
}

function* batchesOf({ start, epochs, batchRows, seed }: StreamBatchesRequest) {
  let row = Number(start?.row ?? 0n);
  const batchesPerEpoch = Math.ceil(rows / batchRows);
  for (let epoch = start?.epoch || 1; epoch <= epochs; epoch += 1, row = 0) {
    for (; row < rows; row += batchRows) {
      const microStep = (epoch - 1) * batchesPerEpoch + row / batchRows + 1;
      const ids = Array.from(
        { length: Math.min(batchRows, rows - row) },
        (_, i) => (5 * (row + i) + epoch + seed) % rows,
      );
      const end = row + ids.length;
      const next = end < rows ? { epoch, row: BigInt(end) } : { epoch: epoch + 1, row: 0n };
      const batch = create(StreamBatchesResponseSchema, {
        epoch,
        next,
        rowIds: ids.map(BigInt),
        lengths: ids.map(lengthOf),
        tokens: new Uint8Array(Uint16Array.from(ids.flatMap(tokensOf)).buffer),
      });
      yield { microStep, batch };
    }
  }
}

function lengthOf(row: number): number {
  return 4 + (row % (width - 3));
}

function tokensOf(row: number): number[] {
  const token = (p: number) => (row === garbageRow ? 100 + 17 * p : 1 + ((row + 3 * p) % 7));
  return Array.from({ length: width }, (_, p) => (p < lengthOf(row) ? token(p) : 0));
}
