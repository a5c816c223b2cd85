/** The sizes of a model, and what follows from them: the names and shapes of its parameters. */

export interface ModelShape {
  readonly vocabularySize: number;
  /** Width of the residual stream; `heads` times the width of a head. */
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  /** Each key and value head serves `heads / keyValueHeads` query heads. */
  readonly keyValueHeads: number;
  /** Width inside a feed-forward block. */
  readonly hiddenDim: number;
  /** Added to the mean square under the root. */
  readonly normEps: number;
  readonly ropeTheta: number;
  /** The longest sequence, in tokens. */
  readonly maxSequenceLength: number;
}

/** The feed-forward width that belongs to `dim`: two thirds of 4 dim, rounded up to a multiple. 512 gives 1,408. */
export function hiddenDimension(dim: number, multipleOf = 64): number {
  return multipleOf * Math.ceil(Math.floor((2 * 4 * dim) / 3) / multipleOf);
}

/** Width of one attention head. */
export function headDimension({ dim, heads }: ModelShape): number {
  return dim / heads;
}

/**
 * Every parameter with its shape, in the order in which they are listed everywhere. A matrix is [out, in] and is used as
 * y = x Wᵀ; there are no biases. The embedding is also the output matrix, so it stands here once.
 */
export function parameterShapes(shape: ModelShape): ReadonlyMap<string, readonly number[]> {
  const layers = Array.from({ length: shape.layers }, (_, layer) => layerShapes(shape, `layers.${layer}`));
  return new Map<string, readonly number[]>([
    ["tok_embeddings.weight", [shape.vocabularySize, shape.dim]],
    ...layers.flat(),
    ["norm.weight", [shape.dim]],
  ]);
}

function layerShapes(shape: ModelShape, layer: string): [string, readonly number[]][] {
  const { dim, hiddenDim } = shape;
  const keyValueDim = shape.keyValueHeads * headDimension(shape);
  return [
    [`${layer}.attention_norm.weight`, [dim]],
    [`${layer}.attention.wq.weight`, [dim, dim]],
    [`${layer}.attention.wk.weight`, [keyValueDim, dim]],
    [`${layer}.attention.wv.weight`, [keyValueDim, dim]],
    [`${layer}.attention.wo.weight`, [dim, dim]],
    [`${layer}.ffn_norm.weight`, [dim]],
    [`${layer}.feed_forward.w1.weight`, [hiddenDim, dim]],
    [`${layer}.feed_forward.w2.weight`, [dim, hiddenDim]],
    [`${layer}.feed_forward.w3.weight`, [hiddenDim, dim]],
  ];
}

/** The trainable numbers: 25,829,888 for the recorded model. */
export function parameterCount(shape: ModelShape): number {
  const sizes = parameterShapes(shape).values();
  return sizes.reduce((sum, lengths) => sum + lengths.reduce((product, length) => product * length, 1), 0);
}
