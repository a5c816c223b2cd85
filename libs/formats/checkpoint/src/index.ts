/** Checkpoints: whole or invisible, read back strictly, enough to go on exactly. */
export { type CheckpointId, checkpointName, parseCheckpointName } from "./checkpoint-keys.ts";
export { type CheckpointList, listCheckpoints, readManifest, type SealedCheckpoint } from "./list-checkpoints.ts";
export type { CheckpointManifest, PartName, StoredPart } from "./manifest.ts";
export {
  type Checkpoint,
  type ExpectedTensors,
  readCheckpoint,
  readCheckpointState,
  readModel,
  type TensorKind,
  verifyCheckpoint,
} from "./read-checkpoint.ts";
export type { CheckpointState } from "./state.ts";
export { type CheckpointContent, sealCheckpoint, writeCheckpointParts } from "./write-checkpoint.ts";
