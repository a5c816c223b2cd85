/** How many rows the device computes at once, when the recipe leaves it to the memory there is. */

import type { CompleteRecipe } from "@pretrain/recipe";
import { parameterCount } from "@pretrain/recipe";

/** Weights, two moments, the accumulated gradients, and two more sets of gradients while parts are added. */
const copiesOfParameters = 6;

/**
 * A power of two, so that small differences of memory between machines change nothing, at most `batch_size`, at least 1.
 *
 * @param memoryBytes of the machine, not what is free now: two runs on it must be computed in the same way
 */
export function deviceBatchRows({ model, training, hardware }: CompleteRecipe, memoryBytes: number): number {
  if (hardware.deviceBatchRows > 0) return Math.min(hardware.deviceBatchRows, training.batchSize);
  const forRows = memoryBytes / 2 - 4 * copiesOfParameters * parameterCount(model);
  const rows = Math.max(1, Math.floor(forRows / rowBytes(model)));
  return Math.min(training.batchSize, 2 ** Math.floor(Math.log2(rows)));
}

/**
 * What one row of full length keeps between forward and backward pass, eagerly, with the intermediate tensors of both.
 * Measured on two cores without a GPU, peak of resident memory over its base, MiB a row, beside this formula:
 *
 *     dim 512, 8 layers, 32 heads, V 6,400, S 512    1,965    2,287
 *     the same, S 256                                  736      823
 *     dim 128, 4 layers, 8 heads, V 2,048, S 256        97      114
 */
export function rowBytes({ dim, nLayers, nHeads, hiddenDim, vocabSize, maxSeqLen }: CompleteRecipe["model"]): number {
  const attention = 5 * nHeads * maxSeqLen ** 2;
  const streams = 32 * maxSeqLen * (dim + hiddenDim);
  return 4 * (nLayers * (attention + streams) + 4 * maxSeqLen * vocabSize);
}
