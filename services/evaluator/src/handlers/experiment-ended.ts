/**
 * An experiment ended: every checkpoint that is stored then has an evaluation, announced or not. A broker that was put back to
 * an older disk has forgotten announcements that nobody makes a second time.
 */
import { listCheckpoints } from "@pretrain/checkpoint";
import { Experiment_State as State, type StateChanged } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { type CheckpointDependencies, requestAsRecipeSays } from "./checkpoint-written.ts";

const ends: readonly State[] = [State.COMPLETED, State.FAILED, State.CANCELLED];

/** @throws as `checkpointWritten` does */
export const experimentEnded =
  (dependencies: CheckpointDependencies) =>
  async ({ experiment, to }: StateChanged): Promise<void> => {
    if (!ends.includes(to)) return;
    const { checkpoints } = await listCheckpoints(dependencies.blobs, idOfExperimentName(experiment));
    for (const { manifest, manifestSha256 } of checkpoints) {
      await requestAsRecipeSays(dependencies, manifest, manifestSha256); // the same evaluation where there is one
    }
  };
