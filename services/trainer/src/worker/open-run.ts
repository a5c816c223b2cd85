/** A run at its beginning, or where a checkpoint left it. */
import type { BlobStore } from "@pretrain/blobs";
import { readCheckpoint } from "@pretrain/checkpoint";
import type { TrainingSetup } from "./protocol.ts";
import { noSteps, TrainingRun } from "./training-run.ts";
import { expectedTensors, initialState, restoredState } from "./training-tensors.ts";

/** @throws DataLoss naming part and fault when the checkpoint is damaged or not this run's */
export async function openRun(blobs: BlobStore, setup: TrainingSetup): Promise<TrainingRun> {
  if (setup.resume === undefined) return new TrainingRun(setup, initialState(setup.shape, setup.seed), noSteps);
  const expected = { ...expectedTensors(setup.shape), recipeSha256: setup.recipeSha256 };
  const { state, ...tensors } = await readCheckpoint(blobs, setup.resume, expected);
  const { microStep, optimizerStep, epoch, tokensSeen, cursor } = state;
  return new TrainingRun(setup, restoredState(tensors), { microStep, optimizerStep, epoch, tokensSeen, cursor });
}
