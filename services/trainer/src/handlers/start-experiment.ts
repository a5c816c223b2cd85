/** Stores the experiment and answers; the work waits in the queue, whatever becomes of the caller. */
import type { BlobStore } from "@pretrain/blobs";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { Experiment, StartExperimentRequest } from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe, experimentId } from "@pretrain/recipe";
import { queued, resourceOf } from "../experiment/record.ts";
import { startRequestSha256 } from "../experiment/start-request.ts";
import type { Experiments } from "../stores/experiments.ts";
import { claimRequestId } from "../stores/request-claims.ts";
import { collecting, createdOrRepeated, settled } from "./create-experiment.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
  /** Says that there is work, so that nobody has to look for it. */
  readonly wake: () => void;
}

export const startExperiment =
  ({ experiments, blobs, now, log, wake }: Dependencies) =>
  async (request: StartExperimentRequest): Promise<Experiment> => {
    const { id, recipe } = checked(request);
    const requestSha256 = startRequestSha256(request);
    const { requestId, experimentId: title, priority } = request;
    if (requestId !== "") await claimRequestId(blobs, "start-experiment", requestId, requestSha256);
    const record = queued({ id, title, recipe, requestId, requestSha256, priority }, now());
    const created = await createdOrRepeated(experiments, id, record);
    const found = await settled(() => experiments.settle(created), created, log);
    wake();
    return resourceOf(found.value, found.revision);
  };

const nothingToTrain: Violation = {
  field: "recipe.training.epochs",
  description: "0 trains nothing; at least 1 is expected, except of ImportCheckpoint",
};

/** @throws InvalidArgument naming the faults of id and recipe together */
function checked({ experimentId: spelling, recipe }: StartExperimentRequest): { id: string; recipe: CompleteRecipe } {
  const faults: Violation[] = [];
  const id = collecting(faults, () => experimentId(spelling));
  const complete = collecting(faults, () => completeRecipe(recipe));
  if (complete?.training.epochs === 0) faults.push(nothingToTrain);
  if (id !== undefined && complete !== undefined && faults.length === 0) return { id, recipe: complete };
  const [first, ...rest] = faults;
  throw first === undefined
    ? new Error("a request was refused without a reason")
    : new InvalidArgument([first, ...rest]);
}
