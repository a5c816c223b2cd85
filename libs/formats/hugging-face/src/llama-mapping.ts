/**
 * Our parameters under Hugging Face's names. All numbers are equal; only the rows of queries and keys stand in another order, because the
 * two programs turn other pairs of a head by the same angle:
 *
 *     row of a head of 8        0    1    2    3    4    5    6    7
 *     ours: neighbours         a0   b0   a1   b1   a2   b2   a3   b3
 *     theirs: two halves       a0   a1   a2   a3   b0   b1   b2   b3      rotate_half in transformers' modeling_llama.py
 *
 * Weights in the wrong order load without a warning and compute something else.
 */

/** The sizes of a Llama model without biases, whose output matrix is its embedding. */
export interface LlamaShape {
  readonly vocabularySize: number;
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Numbers of a head. */
  readonly headDim: number;
  readonly hiddenDim: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  readonly maxSequenceLength: number;
}

/** A parameter and what becomes of its rows: those of queries and keys are in the order of rotary pairs. */
export interface LlamaParameter {
  readonly ours: string;
  readonly theirs: string;
  /** Theirs, in the layout [out, in] that both share. */
  readonly shape: readonly number[];
  /** Heads whose rows are in the order of rotary pairs; absent: the rows are the same in both. */
  readonly rotaryHeads?: number;
}

/** Every parameter, in our order. */
export function llamaParameters(shape: LlamaShape): LlamaParameter[] {
  const { vocabularySize, dim } = shape;
  return [
    { ours: "tok_embeddings.weight", theirs: "model.embed_tokens.weight", shape: [vocabularySize, dim] },
    ...Array.from({ length: shape.layers }, (_, layer) => layerParameters(shape, layer)).flat(),
    { ours: "norm.weight", theirs: "model.norm.weight", shape: [dim] },
  ];
}

function layerParameters(shape: LlamaShape, layer: number): LlamaParameter[] {
  const { dim, heads, keyValueHeads, headDim, hiddenDim } = shape;
  const [queryDim, keyDim] = [heads * headDim, keyValueHeads * headDim];
  const named = (ours: string, theirs: string, lengths: readonly number[]) => ({
    ours: `layers.${layer}.${ours}.weight`,
    theirs: `model.layers.${layer}.${theirs}.weight`,
    shape: lengths,
  });
  return [
    named("attention_norm", "input_layernorm", [dim]),
    { ...named("attention.wq", "self_attn.q_proj", [queryDim, dim]), rotaryHeads: heads },
    { ...named("attention.wk", "self_attn.k_proj", [keyDim, dim]), rotaryHeads: keyValueHeads }, // not the query heads
    named("attention.wv", "self_attn.v_proj", [keyDim, dim]),
    named("attention.wo", "self_attn.o_proj", [dim, queryDim]),
    named("ffn_norm", "post_attention_layernorm", [dim]),
    named("feed_forward.w1", "mlp.gate_proj", [hiddenDim, dim]),
    named("feed_forward.w2", "mlp.down_proj", [dim, hiddenDim]),
    named("feed_forward.w3", "mlp.up_proj", [hiddenDim, dim]),
  ];
}

/** From our order of rows to theirs. @param matrix [heads * head_dim, columns] */
export function rowsInHalves(matrix: Float32Array, heads: number, columns: number): Float32Array {
  return reordered(matrix, heads, columns, (pair, side, pairs) => [2 * pair + side, side * pairs + pair]);
}

/** From their order of rows to ours. @param matrix [heads * head_dim, columns] */
export function rowsInPairs(matrix: Float32Array, heads: number, columns: number): Float32Array {
  return reordered(matrix, heads, columns, (pair, side, pairs) => [side * pairs + pair, 2 * pair + side]);
}

/** @param rowsOf the row of a head that one side (0 or 1) of a pair is taken from, and the one that it goes to */
function reordered(
  matrix: Float32Array,
  heads: number,
  columns: number,
  rowsOf: (pair: number, side: number, pairs: number) => readonly [from: number, to: number],
): Float32Array {
  const pairs = matrix.length / columns / heads / 2;
  if (!Number.isInteger(pairs)) {
    throw new RangeError(`${matrix.length} numbers are no rows of ${columns} for ${heads} heads of pairs`);
  }
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < 2 * pairs * heads; row += 1) {
    const firstOfHead = row - (row % (2 * pairs));
    const [from, to] = rowsOf((row % (2 * pairs)) >> 1, row % 2, pairs);
    const begin = (firstOfHead + from) * columns;
    result.set(matrix.subarray(begin, begin + columns), (firstOfHead + to) * columns);
  }
  return result;
}
