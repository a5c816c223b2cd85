/** Checkpoints: whole or invisible, read back strictly, enough to go on exactly; and which of them count. */
export { type AttemptClaim, attemptsLimit, claimAttempt, isFenced, readClaim } from "./attempt-claims.ts";
export {
  type AttemptCheckpoint,
  type CheckpointId,
  checkpointName,
  checkpointsPrefix,
  parseCheckpointName,
} from "./checkpoint-keys.ts";
export {
  acquireCheckpoint,
  attemptHolder,
  checkpointHolders,
  isFencedHolder,
  releaseCheckpoint,
  releaseFencedHolds,
} from "./holds.ts";
export { lineage, type Resumption, type Written } from "./lineage.ts";
export {
  type CheckpointList,
  type DamagedCheckpoint,
  listCheckpoints,
  type RemovalId,
  readManifest,
  type SealedCheckpoint,
} from "./list-checkpoints.ts";
export type { CheckpointManifest, PartName, StoredPart } from "./manifest.ts";
export { quarantineCheckpoint } from "./quarantine.ts";
export {
  type Checkpoint,
  type ExpectedTensors,
  readCheckpoint,
  readCheckpointState,
  readModel,
  type TensorKind,
  verifyCheckpoint,
} from "./read-checkpoint.ts";
export {
  type Removal,
  type RemovedCheckpoint,
  readRemoval,
  removeCheckpoint,
  sweepParts,
  sweepUnsealed,
} from "./remove-checkpoint.ts";
export type { CheckpointState } from "./state.ts";
export { type CheckpointContent, sealCheckpoint, writeCheckpointParts } from "./write-checkpoint.ts";
