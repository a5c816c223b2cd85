/**
 * Each evaluation that ends is a result beside its checkpoint. It may end the training, and it may be the last thing that a
 * checkpoint was kept for.
 */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { BlobStore } from "@pretrain/blobs";
import { parseCheckpointName, type RemovedCheckpoint } from "@pretrain/checkpoint";
import { Aborted, messageOf, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { type Broker, events } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import {
  CheckpointRemovedSchema,
  type Evaluation,
  type EvaluationEnded,
  type Recipe,
  type Training,
} from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { removedResource } from "../experiment/checkpoint-resource.ts";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";
import { applyRetention, type RetentionDependencies } from "./apply-retention.ts";
import { type EvaluationResult, writeResult } from "./evaluation-results.ts";
import { type Retention, removesAny } from "./retention-rule.ts";
import { stopEarly } from "./stop-early.ts";

export interface Following {
  readonly broker: Pick<Broker, "consume" | "publish">;
  readonly experiments: Pick<Experiments, "find" | "change" | "settle">;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
}

/** Follows evaluations until disposed, from the first one that the stream still holds. */
export function followEvaluations({ broker, experiments, ...rest }: Following): Promise<AsyncDisposable> {
  const announce = async (removed: RemovedCheckpoint) => {
    await broker.publish(events.removal, removalEvent(removed));
  };
  const dependencies = { ...rest, announce, verified: new Set<string>(), swept: new Set<string>() };
  const options = { durable: "trainer-retention", filter: "pretrain.events.*.evaluation", batch: 16 };
  return broker.consume("PRETRAIN_EVENTS", options, async (batch) => {
    for (const event of batch) if (event.kind === "evaluation") await ended(dependencies, experiments, event.message);
  });
}

/** @throws Unavailable, Aborted, ResourceExhausted: what may pass, and then the event comes again */
async function ended(
  dependencies: RetentionDependencies,
  experiments: Following["experiments"],
  { experiment, evaluation }: EvaluationEnded,
): Promise<void> {
  const id = idOfExperimentName(experiment);
  try {
    const found = await experiments.find(id);
    const recipe = found && experimentOf(found.value).recipe;
    if (evaluation === undefined || recipe?.training === undefined || !isPlanned(evaluation, recipe)) return;
    const checkpoint = parseCheckpointName(evaluation.checkpoint);
    await writeResult(dependencies.blobs, checkpoint, idOf(evaluation.name), resultOf(evaluation));
    const { earlyStoppingPatience: patience = 0, earlyStoppingMinDelta: minDelta = 0 } = recipe.training;
    await stopEarly({ ...dependencies, experiments }, id, { patience, minDelta });
    const retention = retentionOf(recipe.training);
    if (removesAny(retention)) await applyRetention(dependencies, id, retention);
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Aborted || error instanceof ResourceExhausted) throw error;
    dependencies.log.error({ experiment: id, reason: messageOf(error) }, "what follows from an evaluation is not done");
  }
}

/** Losses of another context are other numbers, which say nothing beside these. */
function isPlanned({ settings }: Evaluation, { evaluation: plan, model }: Recipe): boolean {
  const windows = ({ context = 0, stride = 0 }) => {
    const read = context || (model?.maxSeqLen ?? 0);
    return `${read} ${stride || read}`;
  };
  return settings === undefined || windows(settings) === windows(plan ?? {});
}

/** Whatever did not succeed has no numbers. */
function resultOf({ checkpointSha256, validationLoss, supersedes }: Evaluation): EvaluationResult {
  const loss = validationLoss?.natsPerToken;
  return {
    manifestSha256: checkpointSha256,
    ...(loss !== undefined && { lossNatsPerToken: loss }),
    ...(supersedes && { supersedes: idOf(supersedes.evaluation) }),
  };
}

function idOf(evaluation: string): string {
  return evaluation.replace(/^evaluations\//, "");
}

function retentionOf(training: Training): Retention {
  const { keepLast = 0, keepBest = 0, keepEvery = 0 } = training;
  return { keepLast, keepBest, keepEvery };
}

function removalEvent(removed: RemovedCheckpoint) {
  const { experiment, attempt, attemptNonce } = removed.manifest;
  return create(CheckpointRemovedSchema, {
    experiment: experimentName(experiment),
    attempt,
    attemptNonce,
    time: timestampFromDate(new Date(removed.time)),
    checkpoint: removedResource(removed),
  });
}
