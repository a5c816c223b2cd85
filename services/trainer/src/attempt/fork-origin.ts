/** Where a fork without a checkpoint of its own goes on from: its parent's, if that is still the one that was forked. */
import type { BlobStore } from "@pretrain/blobs";
import { acquireCheckpoint, parseCheckpointName, type SealedCheckpoint, verifyCheckpoint } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import { type Origin, Experiment_Reason as Reason } from "@pretrain/proto";
import { ExperimentFault } from "./faults.ts";

/**
 * Every byte of it is compared with its digest. It is held for the fork meanwhile and afterwards, until the fork has one of its own.
 *
 * @param holder under which the fork holds it   @throws ExperimentFault DATA_LOSS when it is gone, damaged, or another one
 */
export async function originCheckpoint(blobs: BlobStore, origin: Origin, holder: string): Promise<SealedCheckpoint> {
  try {
    const sealed = await acquireCheckpoint(blobs, parseCheckpointName(origin.checkpoint), holder);
    if (sealed.manifestSha256 !== origin.manifestSha256) {
      const found = `its manifest's digest is ${sealed.manifestSha256}, the record of this fork has ${origin.manifestSha256}`;
      throw unusable(origin, `is not the one that was forked: ${found}`);
    }
    await verifyCheckpoint(blobs, sealed);
    return sealed;
  } catch (error) {
    if (error instanceof NotFound) throw unusable(origin, "is gone");
    if (error instanceof DataLoss) throw unusable(origin, `is damaged: ${error.message}`);
    throw error;
  }
}

function unusable({ checkpoint }: Origin, fault: string): ExperimentFault {
  const message = `${checkpoint}, which this experiment is forked from, ${fault}; fork from another checkpoint`;
  return new ExperimentFault(Reason.DATA_LOSS, message);
}
