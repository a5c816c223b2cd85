/** Where a fork without a checkpoint of its own goes on from: its parent's, if that is still the one that was forked. */
import type { BlobStore } from "@pretrain/blobs";
import { parseCheckpointName, readManifest, type SealedCheckpoint, verifyCheckpoint } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import { type Origin, Experiment_Reason as Reason } from "@pretrain/proto";
import { ExperimentFault } from "./faults.ts";

/** Every byte of it is compared with its digest. @throws ExperimentFault DATA_LOSS when it is gone, damaged, or another one */
export async function originCheckpoint(blobs: BlobStore, origin: Origin): Promise<SealedCheckpoint> {
  try {
    const sealed = await readManifest(blobs, parseCheckpointName(origin.checkpoint));
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
