/**
 * The forward pass of a Llama model as it is defined, number by number in 64 bits: no tensors, no batch, no cache. Slow, and so plain
 * that it can be compared with the papers. Source: Touvron et al. 2023, arxiv.org/abs/2302.13971; grouped heads from Ainslie et al. 2023,
 * arxiv.org/abs/2305.13245; rotary positions from Su et al. 2021, arxiv.org/abs/2104.09864.
 */

/** Which two numbers of a head are turned by one angle: those side by side, or one of each half at the same place. */
export type RotaryPairs = "neighbours" | "halves";

export interface PlainLlama {
  readonly dim: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Numbers of a head. */
  readonly headDim: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  readonly rotaryPairs: RotaryPairs;
  /** [vocabulary, dim]; also the output matrix. */
  readonly embedding: Float32Array;
  readonly layers: readonly PlainLayer[];
  /** [dim] */
  readonly norm: Float32Array;
}

/** Matrices are [out, in], used as y = W x. */
export interface PlainLayer {
  readonly attentionNorm: Float32Array;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly output: Float32Array;
  readonly feedForwardNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

/**
 * The scores of every token of the vocabulary as the one behind each position: [positions][vocabulary].
 *
 * @param tokens ids below the vocabulary's size @throws RangeError for another id
 */
export function plainLogits(model: PlainLlama, tokens: readonly number[]): Float64Array[] {
  let stream = tokens.map((token) => embedded(model, token));
  for (const layer of model.layers) stream = block(model, layer, stream);
  return stream.map((x) => product(model.embedding, normed(x, model.norm, model.normEps)));
}

function embedded({ embedding, dim }: PlainLlama, token: number): Float64Array {
  const row = embedding.subarray(token * dim, (token + 1) * dim);
  if (row.length === dim) return Float64Array.from(row);
  throw new RangeError(`${token} is none of the ${embedding.length / dim} tokens`);
}

function block(model: PlainLlama, layer: PlainLayer, stream: readonly Float64Array[]): Float64Array[] {
  const read = attention(
    model,
    layer,
    stream.map((x) => normed(x, layer.attentionNorm, model.normEps)),
  );
  return stream.map((x, position) => {
    const behindAttention = sum(x, product(layer.output, read[position] ?? new Float64Array()));
    return sum(behindAttention, feedForward(layer, normed(behindAttention, layer.feedForwardNorm, model.normEps)));
  });
}

/** x / sqrt(mean(x²) + eps), times the weights (Zhang and Sennrich 2019, arxiv.org/abs/1910.07467). */
function normed(x: Float64Array, weights: Float32Array, eps: number): Float64Array {
  const meanSquare = x.reduce((total, value) => total + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(meanSquare + eps);
  return x.map((value, index) => value * scale * (weights[index] ?? Number.NaN));
}

/** What the heads read at each position, side by side: [positions][heads * head_dim]. */
function attention(model: PlainLlama, layer: PlainLayer, inputs: readonly Float64Array[]): Float64Array[] {
  const { heads, keyValueHeads, headDim } = model;
  const queries = inputs.map((x, position) => turned(product(layer.query, x), position, model));
  const keys = inputs.map((x, position) => turned(product(layer.key, x), position, model));
  const values = inputs.map((x) => product(layer.value, x));
  return queries.map((query, position) => {
    const read = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head += 1) {
      const shared = Math.floor(head / (heads / keyValueHeads)) * headDim; // where its key and value head begins
      const scores = keys.slice(0, position + 1).map((key) => dot(query, head * headDim, key, shared, headDim));
      const shares = softmax(scores.map((score) => score / Math.sqrt(headDim)));
      for (const [place, share] of shares.entries()) {
        for (let d = 0; d < headDim; d += 1) {
          const at = head * headDim + d;
          read[at] = (read[at] ?? 0) + share * (values[place]?.[shared + d] ?? Number.NaN);
        }
      }
    }
    return read;
  });
}

/** Pair k of each head, turned by position * theta^(-2k / head_dim). */
function turned(x: Float64Array, position: number, { headDim, ropeTheta, rotaryPairs }: PlainLlama): Float64Array {
  const result = x.slice();
  for (let head = 0; head < x.length; head += headDim) {
    for (let pair = 0; pair < headDim / 2; pair += 1) {
      const angle = position * ropeTheta ** ((-2 * pair) / headDim);
      const [first, second] = rotaryPairs === "halves" ? [pair, pair + headDim / 2] : [2 * pair, 2 * pair + 1];
      const [a, b] = [x[head + first] ?? Number.NaN, x[head + second] ?? Number.NaN];
      result[head + first] = a * Math.cos(angle) - b * Math.sin(angle);
      result[head + second] = a * Math.sin(angle) + b * Math.cos(angle);
    }
  }
  return result;
}

/** down(silu(gate x) * up x) (Shazeer 2020, arxiv.org/abs/2002.05202). */
function feedForward({ gate, up, down }: PlainLayer, x: Float64Array): Float64Array {
  const raised = product(up, x);
  const gated = product(gate, x).map(
    (value, index) => (value / (1 + Math.exp(-value))) * (raised[index] ?? Number.NaN),
  );
  return product(down, gated);
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / total);
}

/** W x. @param matrix [rows, x.length] */
function product(matrix: Float32Array, x: Float64Array): Float64Array {
  const columns = x.length;
  const rows = matrix.length / columns;
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let total = 0;
    const begin = row * columns;
    for (let column = 0; column < columns; column += 1)
      total += (matrix[begin + column] as number) * (x[column] as number);
    result[row] = total;
  }
  return result;
}

function dot(a: Float64Array, aBegin: number, b: Float64Array, bBegin: number, length: number): number {
  let total = 0;
  for (let d = 0; d < length; d += 1) total += (a[aBegin + d] ?? Number.NaN) * (b[bBegin + d] ?? Number.NaN);
  return total;
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + (b[index] ?? Number.NaN));
}
