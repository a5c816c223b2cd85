/** Which past step is meant, and from where it is computed again: looked up, and tried until it can be begun. */
import { listCheckpoints } from "@pretrain/checkpoint";
import { FailedPrecondition, NotFound } from "@pretrain/errors";
import { Dataset_State as DatasetState, type StepExplanation } from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import type { DataShard } from "../attempt/prepare-dataset.ts";
import { stepPlan } from "../attempt/training-setup.ts";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";
import { type AskedStep, explainedFrom, type ReplayDependencies } from "./explained-from.ts";
import { expectComputed, pastStep, reached, usableCheckpoints } from "./explained-step.ts";
import { replayStarts } from "./replay-starts.ts";

export interface ExplainDependencies extends ReplayDependencies {
  readonly experiments: Pick<Experiments, "get">;
  readonly dataShard: Pick<DataShard, "getDataset" | "streamBatches">;
  readonly now: () => Date;
}

/**
 * @throws NotFound when there is no such experiment, or it has not computed the step; FailedPrecondition when nothing is left to begin
 *   from, or the dataset is gone; ExperimentFault and AttemptFault from the process that computes; the reason of `signal`
 */
export async function explainStep(
  dependencies: ExplainDependencies,
  asked: AskedStep,
  signal: AbortSignal,
): Promise<StepExplanation> {
  const { experiments, blobs, dataShard, now, log } = dependencies;
  const { value: record } = await experiments.get(asked.experiment);
  const experiment = experimentOf(record);
  const { name, recipeSha256 } = experiment;
  const list = await listCheckpoints(blobs, asked.experiment);
  const done = reached(record, list);
  expectComputed(experiment, done, asked.microStep);
  const recipe = completeRecipe(experiment.recipe);
  const dataset = await readyDataset(dataShard, experiment.dataset, signal);
  const plan = stepPlan(recipe, Number(dataset.trainRows));
  const past = pastStep(plan, experiment, done, asked.microStep);
  const known = { dependencies, asked, name, recipe, recipeSha256, dataset, plan, past, lastAttempt: done.attempt };
  const unusable: string[] = [];
  const onUnusable = (start: string, reason: string) => {
    log.warn({ experiment: asked.experiment, start, reason }, "a step cannot be explained from here");
    unusable.push(`${start}: ${reason}`);
  };
  const checkpoints = usableCheckpoints(list, plan, recipeSha256, past.begin);
  for await (const start of replayStarts({ blobs, experiment, checkpoints, now, onUnusable })) {
    const explained = await explainedFrom(start, known, signal, onUnusable);
    if (explained !== undefined) return explained;
  }
  const why = unusable.length === 0 ? "" : ` (${unusable.join("; ")})`;
  const message = `${name}: no checkpoint before micro-step ${asked.microStep} is left to compute it from${why}; keep_every keeps some`;
  throw new FailedPrecondition("NO_CHECKPOINT_BEFORE", message, { experiment: name, micro_step: `${asked.microStep}` });
}

async function readyDataset(dataShard: Pick<DataShard, "getDataset">, name: string, signal: AbortSignal) {
  const refuse = (fault: string): never => {
    const message = `${name} ${fault}; have data-shard pack its file again, unchanged, and ask again`;
    throw new FailedPrecondition("DATASET_UNUSABLE", message, { dataset: name });
  };
  const dataset = await dataShard.getDataset({ name }, { signal }).catch((error: unknown) => {
    if (error instanceof NotFound) return refuse("is not there any more");
    throw error;
  });
  if (dataset.state !== DatasetState.READY) refuse("is not ready");
  return dataset;
}
