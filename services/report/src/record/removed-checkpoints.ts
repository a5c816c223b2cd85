/** Checkpoints that the recipe's own rule has removed: they were written and measured, and are no gap. */
import { create } from "@bufbuild/protobuf";
import { type Checkpoint, type CheckpointRemoved, CheckpointSchema } from "@pretrain/proto";

/** The checkpoint with when and why it was removed, if it was: exactly this one, not another one of its name. */
export function withRemoval(checkpoint: Checkpoint, removals: readonly CheckpointRemoved[]): Checkpoint {
  const removal = removals.find(({ checkpoint: removed }) => removed?.manifestSha256 === checkpoint.manifestSha256);
  const { deleteTime, deleteReason } = removal?.checkpoint ?? {};
  if (deleteTime === undefined || deleteReason === undefined) return checkpoint;
  return create(CheckpointSchema, { ...checkpoint, deleteTime, deleteReason });
}

export function isRemoved({ deleteTime }: Checkpoint): boolean {
  return deleteTime !== undefined;
}
