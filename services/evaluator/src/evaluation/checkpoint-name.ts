/** Checkpoints as people name them. */
import { type CheckpointId, parseCheckpointName } from "@pretrain/checkpoint";
import { experimentId } from "@pretrain/recipe";

/**
 * What a request's `experiments/{experiment}/checkpoints/{micro-step}` names, in any spelling of the experiment's id.
 * @throws InvalidArgument naming `field`
 */
export function checkpointNamed(name: string, field = "checkpoint"): CheckpointId {
  const canonical = name.replace(/^experiments\/([^/]{1,80})\//, (_, spelling: string) => {
    return `experiments/${experimentId(spelling, field)}/`;
  });
  return parseCheckpointName(canonical, field);
}
