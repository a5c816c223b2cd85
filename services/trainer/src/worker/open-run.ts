/** A run at its beginning, or where a checkpoint left it. */
import type { BlobStore } from "@pretrain/blobs";
import { readCheckpoint } from "@pretrain/checkpoint";
import { initialWeights } from "@pretrain/model";
import { TrainingProgram } from "@pretrain/training-program";
import { importedWeights } from "./imported-weights.ts";
import type { TrainingSetup } from "./protocol.ts";
import { expectedTensors, restoredState } from "./stored-state.ts";
import { noSteps, TrainingRun } from "./training-run.ts";

/**
 * @param programsFolder where traced functions are kept
 * @throws DataLoss naming part and fault when the checkpoint is damaged or not this run's
 */
export async function openRun(blobs: BlobStore, setup: TrainingSetup, programsFolder: string): Promise<TrainingRun> {
  const program = trainingProgram(setup, programsFolder);
  if (setup.resume === undefined) {
    program.begin(await firstWeights(blobs, setup));
    return new TrainingRun(setup, program, noSteps);
  }
  const { manifest } = setup.resume;
  // A fork begins with its parent's checkpoint, whose digest its record vouches for; the recipe may differ.
  const recipeSha256 = manifest.experiment === setup.experiment ? setup.recipeSha256 : manifest.recipeSha256;
  const expected = { ...expectedTensors(setup.shape), recipeSha256 };
  const { state, ...tensors } = await readCheckpoint(blobs, setup.resume, expected);
  program.set(restoredState(tensors));
  const { microStep, optimizerStep, epoch, tokensSeen, cursor } = state;
  return new TrainingRun(setup, program, { microStep, optimizerStep, epoch, tokensSeen, cursor });
}

async function firstWeights(
  blobs: BlobStore,
  { imported, shape, seed }: TrainingSetup,
): Promise<ReadonlyMap<string, Float32Array>> {
  return imported === undefined ? initialWeights(shape, seed) : await importedWeights(blobs, imported, shape);
}

export function trainingProgram(setup: TrainingSetup, cacheFolder: string): TrainingProgram {
  const { shape, lossRule, optimizer, deviceBatchRows, precision } = setup;
  return new TrainingProgram({ shape, lossRule, optimizer, rowsAtOnce: deviceBatchRows, precision, cacheFolder });
}
