/** Each evaluation that ends may be the last thing that a checkpoint was kept for. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { BlobStore } from "@pretrain/blobs";
import { parseCheckpointName, type RemovedCheckpoint } from "@pretrain/checkpoint";
import { Aborted, messageOf, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { type Broker, events } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { CheckpointRemovedSchema, type EvaluationEnded, type Training } from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { removedResource } from "../experiment/checkpoint-resource.ts";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";
import { applyRetention, type RetentionDependencies } from "./apply-retention.ts";
import { writeResult } from "./evaluation-results.ts";
import { type Retention, removesAny } from "./retention-rule.ts";

export interface Following {
  readonly broker: Pick<Broker, "consume" | "publish">;
  readonly experiments: Pick<Experiments, "find">;
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
    const retention = found && retentionOf(experimentOf(found.value).recipe?.training);
    if (evaluation === undefined || retention === undefined || !removesAny(retention)) return;
    const loss = evaluation.validationLoss?.natsPerToken;
    const result = {
      manifestSha256: evaluation.checkpointSha256,
      ...(loss !== undefined && { lossNatsPerToken: loss }),
    };
    const name = evaluation.name.replace(/^evaluations\//, "");
    await writeResult(dependencies.blobs, parseCheckpointName(evaluation.checkpoint), name, result);
    await applyRetention(dependencies, id, retention);
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Aborted || error instanceof ResourceExhausted) throw error;
    dependencies.log.error({ experiment: id, reason: messageOf(error) }, "checkpoints that may go are not removed");
  }
}

function retentionOf(training: Training | undefined): Retention | undefined {
  if (training === undefined) return undefined;
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
