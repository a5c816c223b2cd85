/** A sealed checkpoint as callers and events see it. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { checkpointName, type RemovedCheckpoint, type SealedCheckpoint } from "@pretrain/checkpoint";
import { type Checkpoint, CheckpointSchema } from "@pretrain/proto";

export function checkpointResource({ manifest, manifestSha256 }: SealedCheckpoint): Checkpoint {
  const { microStep, optimizerStep, tokensSeen, createTime, dataset, epoch, attempt, final, recipeSha256 } = manifest;
  return create(CheckpointSchema, {
    name: checkpointName(manifest),
    microStep: BigInt(microStep),
    optimizerStep: BigInt(optimizerStep),
    epoch,
    tokensSeen: BigInt(tokensSeen),
    createTime: timestampFromDate(new Date(createTime)),
    attempt,
    final,
    manifestSha256,
    parts: manifest.parts.map(({ name, blob, sizeBytes, sha256 }) => ({
      name,
      blob,
      sizeBytes: BigInt(sizeBytes),
      sha256,
    })),
    recipeSha256,
    dataset: `datasets/${dataset}`,
  });
}

/** One that was removed as its recipe says. */
export function removedResource(removed: RemovedCheckpoint): Checkpoint {
  const deleteTime = timestampFromDate(new Date(removed.time));
  return Object.assign(checkpointResource(removed), { deleteTime, deleteReason: removed.rule });
}
