/** `checkpoints`: manifests and parts that are there have the digests that the record names. Reads every byte of them. */
import type { BlobStore } from "@pretrain/blobs";
import { parseCheckpointName, readManifest, verifyCheckpoint } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import type { Checkpoint, Verification_Check } from "@pretrain/proto";
import { isRemoved } from "../record/removed-checkpoints.ts";
import { checked, type Found } from "./check.ts";

export async function checkCheckpoints(
  blobs: BlobStore,
  checkpoints: readonly Checkpoint[],
): Promise<Verification_Check> {
  const found: Found[] = [];
  let read = 0;
  for (const checkpoint of checkpoints.filter((each) => !isRemoved(each))) {
    const faults = await faultsOf(blobs, checkpoint);
    if (faults !== "absent") read += 1;
    if (faults !== "absent") found.push(...faults);
  }
  const absent = checkpoints.length - read;
  return checked("checkpoints", `${read} checkpoints read, ${absent} removed or not there`, found);
}

async function faultsOf(blobs: BlobStore, checkpoint: Checkpoint): Promise<Found[] | "absent"> {
  try {
    const sealed = await readManifest(blobs, parseCheckpointName(checkpoint.name));
    if (sealed.manifestSha256 !== checkpoint.manifestSha256) {
      const [recorded, computed] = [checkpoint.manifestSha256, sealed.manifestSha256];
      return [{ place: `${checkpoint.name}: manifest`, section: "files", recorded, computed }];
    }
    await verifyCheckpoint(blobs, sealed);
    return [];
  } catch (error) {
    if (error instanceof NotFound) return "absent";
    if (!(error instanceof DataLoss)) throw error;
    return [{ place: checkpoint.name, section: "files", computed: error.message }];
  }
}
