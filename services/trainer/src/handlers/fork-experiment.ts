/** An experiment that goes on from another one's checkpoint. The checkpoint is looked at now, and held until the fork has its own. */
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import {
  type CheckpointId,
  checkpointName,
  parseCheckpointName,
  readCheckpointState,
  readManifest,
  type SealedCheckpoint,
} from "@pretrain/checkpoint";
import { DataLoss, FailedPrecondition, InvalidArgument, type Violation } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import {
  type Experiment,
  type ForkExperimentRequest,
  ForkExperimentRequestSchema,
  type Origin,
  OriginSchema,
} from "@pretrain/proto";
import { type CompleteRecipe, completeRecipe, experimentId, forkedRecipe, recipeDifferences } from "@pretrain/recipe";
import { experimentOf, queued, resourceOf } from "../experiment/record.ts";
import type { Experiments, Found } from "../stores/experiments.ts";
import { tendOrigin } from "../stores/origin-holds.ts";
import { claimRequestId } from "../stores/request-claims.ts";
import { type AskedBy, collecting, createdOrRepeated, repeated, settled } from "./create-experiment.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
  /** Says that there is work, so that nobody has to look for it. */
  readonly wake: () => void;
}

export const forkExperiment =
  (dependencies: Dependencies) =>
  async (request: ForkExperimentRequest): Promise<Experiment> => {
    const { experiments, blobs, log, wake } = dependencies;
    const { id, checkpoint } = checked(request);
    const asked = { requestId: request.requestId, requestSha256: requestSha256(request) };
    // Before the parent is looked at: it may be gone by the time a request is repeated.
    const known = await repeated(experiments, id, asked);
    const fork = known ?? (await stored(dependencies, request, { id, checkpoint, asked }));
    const rest = async () => await experiments.settle(await tendOrigin({ experiments, blobs }, fork));
    const found = await settled(rest, fork, log);
    wake();
    return resourceOf(found.value, found.revision);
  };

/** @throws InvalidArgument naming the faults of both names together */
function checked({ experimentId: spelling, checkpoint: name }: ForkExperimentRequest) {
  const faults: Violation[] = [];
  const id = collecting(faults, () => experimentId(spelling));
  const checkpoint = collecting(faults, () => checkpointNamed(name));
  if (id !== undefined && checkpoint !== undefined) return { id, checkpoint };
  const [first, ...rest] = faults;
  throw first === undefined
    ? new Error("a request was refused without a reason")
    : new InvalidArgument([first, ...rest]);
}

/** The experiment's id in it may be spelled as its author likes. */
function checkpointNamed(name: string): CheckpointId {
  const [collection = "", spelling = "", ...rest] = name.split("/");
  return parseCheckpointName([collection, experimentId(spelling, "checkpoint"), ...rest].join("/"), "checkpoint");
}

/** Every field but the request's own id counts; equal messages are equal bytes. */
function requestSha256(request: ForkExperimentRequest): string {
  const bytes = toBinary(ForkExperimentRequestSchema, { ...request, requestId: "" });
  return createHash("sha256").update(bytes).digest("hex");
}

async function stored(
  { experiments, blobs, now }: Dependencies,
  request: ForkExperimentRequest,
  { id, checkpoint, asked }: { readonly id: string; readonly checkpoint: CheckpointId; readonly asked: AskedBy },
): Promise<Found> {
  const parent = experimentOf((await experiments.get(checkpoint.experiment)).value);
  const sealed = await readManifest(blobs, checkpoint);
  const parentRecipe = completeRecipe(parent.recipe);
  expectUsable(sealed, parent, parentRecipe);
  const { cursor } = await readCheckpointState(blobs, sealed);
  const place = { microStep: checkpoint.microStep, nextEpoch: cursor.epoch };
  const recipe = forkedRecipe(parentRecipe, request.recipe, request.updateMask?.paths, place);
  if (asked.requestId !== "") await claimRequestId(blobs, "fork-experiment", asked.requestId, asked.requestSha256);
  const origin = originOf(sealed, parentRecipe, recipe);
  const priority = request.priority || parent.priority;
  const record = queued({ id, title: request.experimentId, recipe, priority, origin, ...asked }, now());
  return await createdOrRepeated(experiments, id, record);
}

/** @throws DataLoss; FailedPrecondition CHECKPOINT_INSIDE_ACCUMULATION */
function expectUsable({ manifest }: SealedCheckpoint, parent: Experiment, { training }: CompleteRecipe): void {
  const name = checkpointName(manifest);
  if (manifest.recipeSha256 !== parent.recipeSha256) {
    const message = `${name} belongs to the recipe ${manifest.recipeSha256}, its experiment to ${parent.recipeSha256}`;
    throw new DataLoss("CHECKPOINT_INVALID", message, { checkpoint: name });
  }
  const { accumulationSteps, lastAccumulation } = training;
  if (lastAccumulation !== "carry" || manifest.microStep % accumulationSteps === 0) return;
  // The very last checkpoint of a run may stand there: what is left of the accumulation was dropped with its end.
  const message = `${name} stands inside an accumulation of ${accumulationSteps} micro-steps; fork from an earlier one`;
  throw new FailedPrecondition("CHECKPOINT_INSIDE_ACCUMULATION", message, { checkpoint: name });
}

function originOf(
  { manifest, manifestSha256 }: SealedCheckpoint,
  parent: CompleteRecipe,
  fork: CompleteRecipe,
): Origin {
  return create(OriginSchema, {
    checkpoint: checkpointName(manifest),
    manifestSha256,
    microStep: BigInt(manifest.microStep),
    recipeSha256: manifest.recipeSha256,
    differences: recipeDifferences(parent, fork),
  });
}
