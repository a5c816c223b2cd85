/**
 * How large a model is and what training it takes, from the recipe's numbers alone: enough to refuse at the door what no
 * machine can hold. What is really used is measured while training.
 */
interface Sizes {
  readonly dim: number;
  readonly nLayers: number;
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly hiddenDim: number;
  readonly vocabSize: number;
  readonly maxSeqLen: number;
}

/**
 * Parameters of `model_original`: the embedding (tied to the output), per layer four attention matrices, three of the
 * feed-forward and two norms, and the last norm. 25,829,888 for the defaults.
 */
export function parameterCount({ dim, nLayers, nHeads, nKvHeads, hiddenDim, vocabSize }: Sizes): number {
  const keyWidth = (dim / nHeads) * nKvHeads;
  const attention = 2 * dim * dim + 2 * dim * keyWidth;
  const layer = attention + 3 * dim * hiddenDim + 2 * dim;
  return vocabSize * dim + nLayers * layer + dim;
}

/**
 * Bytes that training with one row at a time cannot do without, in float32: weights, gradients and two moments, what a
 * layer keeps for the backward pass, and the logits with their gradient.
 */
export function estimatedBytes(sizes: Sizes): number {
  const { dim, nLayers, nHeads, hiddenDim, vocabSize, maxSeqLen } = sizes;
  const layerActivations = maxSeqLen * (4 * dim + 3 * hiddenDim) + nHeads * maxSeqLen ** 2;
  return 4 * (4 * parameterCount(sizes) + nLayers * layerActivations + 2 * maxSeqLen * vocabSize);
}
