/** A trainer announced a checkpoint: it is evaluated as its recipe says, without being asked for. */
import { type CheckpointId, parseCheckpointName } from "@pretrain/checkpoint";
import { DataLoss, InvalidArgument, NotFound } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { CheckpointWritten, EvaluationSettings } from "@pretrain/proto";
import { settingsOfRecipe } from "../evaluation/settings.ts";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import { type Requesting, requestEvaluation } from "./request-evaluation.ts";

export interface CheckpointDependencies extends Requesting {
  readonly log: Log;
}

/**
 * An event that names no checkpoint is logged and passed over: it would be no better the next time.
 * @throws Unavailable when store or broker do not answer; the event is then to be delivered again, which changes nothing
 */
export const checkpointWritten =
  (dependencies: CheckpointDependencies) =>
  async ({ checkpoint }: CheckpointWritten): Promise<void> => {
    const id = idOf(checkpoint?.name ?? "");
    if (checkpoint === undefined || id === undefined) {
      dependencies.log.error(
        { checkpoint: checkpoint?.name },
        "a checkpoint event without a checkpoint is passed over",
      );
      return;
    }
    await requestAsRecipeSays(dependencies, id, checkpoint.manifestSha256);
  };

/** @throws as `checkpointWritten` does */
export async function requestAsRecipeSays(
  dependencies: CheckpointDependencies,
  { experiment, microStep }: CheckpointId,
  checkpointSha256: string,
): Promise<void> {
  const checkpoint = { experiment, microStep };
  const settings = await recipeSettings(dependencies, checkpoint);
  await requestEvaluation(dependencies, { checkpoint, checkpointSha256, settings, recipeSettings: settings });
}

function idOf(name: string): CheckpointId | undefined {
  try {
    return parseCheckpointName(name);
  } catch (error) {
    if (error instanceof InvalidArgument) return undefined;
    throw error;
  }
}

/** Undefined when the recipe cannot be read: the evaluation is made all the same, to fail where everybody sees it. */
async function recipeSettings(
  { blobs, log }: CheckpointDependencies,
  { experiment }: CheckpointId,
): Promise<EvaluationSettings | undefined> {
  try {
    return settingsOfRecipe((await readExperimentRecipe(blobs, experiment)).recipe);
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof DataLoss)) throw error;
    log.error({ experiment, reason: error.message }, "the recipe of an announced checkpoint cannot be read");
    return undefined;
  }
}
