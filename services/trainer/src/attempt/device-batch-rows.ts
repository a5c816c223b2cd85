/** How many rows the device computes at once, when the recipe leaves it to the memory there is. */

import type { CompleteRecipe } from "@pretrain/recipe";
import { parameterCount } from "@pretrain/recipe";

/** Weights, two moments, the copy of these three that a checkpoint is written from, the summed gradients, and those of the rows being computed. */
const copiesOfParameters = 8;

/**
 * More positions at once make a step no faster. Tokens a second of the 26M model at 512 tokens a row on two cores with AVX-512, by rows
 * at once: 2 → 990, 4 → 1,000, 8 → 1,040; peak memory 1,410, 1,620 and 1,930 MiB.
 */
const positionsAtOnce = 4096;

/**
 * A power of two, so that small differences of memory between machines change nothing, at most `batch_size`, at least 1.
 *
 * @param memoryBytes of the machine, not what is free now: two runs on it must be computed in the same way
 */
export function deviceBatchRows({ model, training, hardware }: CompleteRecipe, memoryBytes: number): number {
  if (hardware.deviceBatchRows > 0) return Math.min(hardware.deviceBatchRows, training.batchSize);
  const forRows = memoryBytes / 2 - 4 * copiesOfParameters * parameterCount(model);
  const rows = Math.min(forRows / rowBytes(model), positionsAtOnce / model.maxSeqLen);
  return Math.min(training.batchSize, 2 ** Math.floor(Math.log2(Math.max(1, rows))));
}

/**
 * What one row of full length keeps between forward and backward pass, in float32, and what it needs on the way through the widest
 * part of a layer. Measured for the 26M model, rows of 512 tokens: 87 MiB a row; this formula: 97.
 */
export function rowBytes({ dim, nLayers, nHeads, nKvHeads, hiddenDim, maxSeqLen }: CompleteRecipe["model"]): number {
  const projections = dim + (2 * nKvHeads * dim) / nHeads;
  const kept = 2 * dim + projections + dim + 2 * hiddenDim; // two streams, q k v, what was read, gate and up
  const onTheWay = 6 * hiddenDim;
  return 4 * maxSeqLen * (nLayers * kept + onTheWay);
}
