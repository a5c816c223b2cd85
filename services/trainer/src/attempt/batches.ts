/** The batches of a run from a cursor on, whatever happens to the connection that they come through. */
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { messageOf, Unavailable } from "@pretrain/errors";
import {
  Experiment_Reason as Reason,
  Split,
  StreamBatchesRequestSchema,
  type StreamBatchesResponse,
} from "@pretrain/proto";
import type { CompleteRecipe } from "@pretrain/recipe";
import { epochOf, type StepPlan, totals } from "../experiment/step-plan.ts";
import type { Batch, Cursor } from "../worker/protocol.ts";
import { AttemptFault, ExperimentFault } from "./faults.ts";
import { patienceMs } from "./patiently.ts";
import type { DataShard } from "./prepare-dataset.ts";

export interface BatchSource {
  readonly dataShard: Pick<DataShard, "streamBatches">;
  /** `datasets/{dataset}` */
  readonly dataset: string;
  readonly recipe: CompleteRecipe;
  readonly plan: StepPlan;
}

/** A batch and where its rows stand in the dataset. */
export interface ReadBatch extends Batch {
  /** Index of each row in the training split. */
  readonly rowIds: readonly number[];
}

const backoffMs = 1_000;

/**
 * @param microStep done before the first batch   @param cursor where that one begins
 * @throws ExperimentFault DATA_LOSS when a batch is not what the plan says; AttemptFault when none comes for ten minutes
 */
export async function* batchesFrom(
  source: BatchSource,
  microStep: number,
  cursor: Cursor,
  signal: AbortSignal,
): AsyncGenerator<ReadBatch> {
  const last = totals(source.plan).microSteps;
  let place = { microStep, cursor };
  let heard = performance.now();
  while (place.microStep < last) {
    try {
      for await (const response of source.dataShard.streamBatches(requestFrom(source, place.cursor), { signal })) {
        const batch = checkedBatch(response, source, place.microStep + 1);
        place = { microStep: batch.microStep, cursor: batch.next };
        yield batch;
        heard = performance.now();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unavailable)) throw error;
      if (performance.now() - heard > patienceMs) throw new AttemptFault(Reason.UNSPECIFIED, messageOf(error));
      await pause(backoffMs, undefined, { signal });
    }
  }
}

function requestFrom({ dataset, recipe: { training, data } }: BatchSource, { epoch, row }: Cursor) {
  return create(StreamBatchesRequestSchema, {
    dataset,
    split: Split.TRAIN,
    batchRows: training.batchSize,
    shuffle: data.shuffle,
    seed: training.seed,
    start: { epoch, row: BigInt(row) },
    epochs: training.epochs,
  });
}

/** Everything that an index of the model's depends on: beyond its bounds native code reads what is not there. */
function checkedBatch(response: StreamBatchesResponse, { plan, recipe }: BatchSource, microStep: number): ReadBatch {
  const { epoch, lengths, tokens, next } = response;
  const { maxSeqLen, vocabSize } = recipe.model;
  const refuse = (fault: string): never => {
    throw new ExperimentFault(Reason.DATA_LOSS, `the batch of micro-step ${microStep} ${fault}`);
  };
  if (epoch !== epochOf(plan, microStep)) refuse(`is of epoch ${epoch}, not ${epochOf(plan, microStep)}`);
  if (lengths.length === 0 || next === undefined) return refuse("has no rows");
  if (tokens.length !== lengths.length * maxSeqLen * 2) refuse(`has ${tokens.length} bytes for ${lengths.length} rows`);
  if (lengths.some((length) => length < 0 || length > maxSeqLen)) refuse(`has a row longer than ${maxSeqLen} tokens`);
  const ids = new Uint16Array(tokens.slice().buffer); // a copy begins where a number may begin
  if (ids.some((id) => id >= vocabSize)) refuse(`has a token id of ${vocabSize} or more`);
  const cursor = { epoch: next.epoch, row: Number(next.row) };
  const rowIds = response.rowIds.map(Number);
  return { microStep, epoch, tokens: ids, lengths: Int32Array.from(lengths), next: cursor, rowIds };
}
