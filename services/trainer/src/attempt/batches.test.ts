import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Unavailable } from "@pretrain/errors";
import {
  Experiment_Reason as Reason,
  RecipeSchema,
  type StreamBatchesRequest,
  type StreamBatchesResponse,
  StreamBatchesResponseSchema,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import type { Batch } from "../worker/protocol.ts";
import { batchesFrom } from "./batches.ts";
import { ExperimentFault } from "./faults.ts";
import type { DataShard } from "./prepare-dataset.ts";

const recipe = completeRecipe(
  create(RecipeSchema, {
    data: { path: "a.txt" },
    model: { vocabSize: 300, maxSeqLen: 4 },
    training: { batchSize: 2, epochs: 2 },
    evaluation: { inputLength: 1, predictLength: 1 },
  }),
);
/** Three rows in batches of two: two micro-steps an epoch. */
const plan = { epochs: 2, microStepsPerEpoch: 2, accumulationSteps: 1, lastAccumulation: "carry" } as const;
const signal = new AbortController().signal;

function response(epoch: number, row: number, change: Partial<Pick<StreamBatchesResponse, "lengths" | "tokens">> = {}) {
  const count = row === 0 ? 2 : 1;
  const next = row === 0 ? { epoch, row: 2n } : { epoch: epoch + 1, row: 0n };
  const tokens = new Uint8Array(Uint16Array.from({ length: 4 * count }, (_, i) => 299 - i).buffer);
  return create(StreamBatchesResponseSchema, { epoch, next, lengths: Array(count).fill(3), tokens, ...change });
}

/** @param streams what each call of StreamBatches does, one after the other */
function sourceOf(...streams: ((request: StreamBatchesRequest) => Generator<StreamBatchesResponse>)[]) {
  const asked: string[] = [];
  const streamBatches = async function* (request: StreamBatchesRequest) {
    asked.push(`${request.start?.epoch}:${request.start?.row}`);
    const stream = streams.shift();
    if (stream !== undefined) yield* stream(request);
  };
  const dataShard = { streamBatches } as Pick<DataShard, "streamBatches">;
  return { asked, source: { dataShard, dataset: "datasets/a", recipe, plan } };
}

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const found: Batch[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

test("num_workers, which the original had, changes nothing of what is asked for: one and eight get the same rows in the same order", async () => {
  const requests: StreamBatchesRequest[] = [];
  for (const numWorkers of [1, 8]) {
    const { source } = sourceOf(function* (request) {
      requests.push(request);
      for (const epoch of [1, 2]) for (const row of [0, 2]) yield response(epoch, row);
    });
    await all(
      batchesFrom(
        { ...source, recipe: { ...recipe, data: { ...recipe.data, numWorkers } } },
        0,
        { epoch: 1, row: 0 },
        signal,
      ),
    );
  }
  assert.equal(requests.length, 2);
  assert.deepEqual(requests[1], requests[0]);
});

test("a connection that is cut goes on where it was cut, without a batch twice or left out", async () => {
  const { source, asked } = sourceOf(
    function* () {
      yield response(1, 0);
      throw new Unavailable("SERVICE_UNREACHABLE", "cut");
    },
    function* () {
      yield response(1, 2);
      yield response(2, 0);
    }, // ends without an error, too early
    function* () {
      yield response(2, 2);
    },
  );
  const batches = await all(batchesFrom(source, 0, { epoch: 1, row: 0 }, signal));
  assert.deepEqual(
    batches.map(({ microStep, epoch, lengths }) => [microStep, epoch, lengths.length]),
    [
      [1, 1, 2],
      [2, 1, 1],
      [3, 2, 2],
      [4, 2, 1],
    ],
  );
  assert.deepEqual(asked, ["1:0", "1:2", "2:2"]);
  assert.deepEqual([...(batches[1]?.tokens ?? [])], [299, 298, 297, 296]);
});

for (const [claim, wrong, words] of [
  ["another epoch than the plan's", response(2, 0), /is of epoch 2, not 1/],
  ["no rows", response(1, 0, { lengths: [] }), /has no rows/],
  ["fewer bytes than rows need", response(1, 0, { lengths: [3, 3, 3] }), /has 16 bytes for 3 rows/],
  ["a row longer than the model", response(1, 0, { lengths: [3, 5] }), /has a row longer than 4 tokens/],
  [
    "a token beyond the vocabulary",
    response(1, 0, { tokens: new Uint8Array(Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 300).buffer) }),
    /has a token id of 300 or more/,
  ],
] as const) {
  test(`a batch with ${claim} never reaches the model`, async () => {
    const { source } = sourceOf(function* () {
      yield wrong;
    });
    await assert.rejects(all(batchesFrom(source, 0, { epoch: 1, row: 0 }, signal)), (error) => {
      return error instanceof ExperimentFault && error.reason === Reason.DATA_LOSS && words.test(error.message);
    });
  });
}
