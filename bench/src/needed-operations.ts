/**
 * The floating-point operations that a token needs, whoever computes it: those of the matrix products, a multiplication and an
 * addition counting as two. Recomputation, norms, softmax, the optimizer are not in it, so nobody gets credit for doing more.
 *
 *     weights      2 for each entry of each matrix that a token is multiplied with (the tied embedding once, as the output)
 *     attention    a query at position p meets p + 1 keys: 2 dim (p + 1) for scores, the same for the mixing of values
 *     a row of S   so on average 2 · 2 dim (S + 1) / 2 in each layer
 *     training     three times the forward pass: the backward pass has two products for each of its products
 *
 * 167.5 million for training the baseline on rows of 512.
 */
import type { Model } from "./workload.ts";

export function trainingOperationsPerToken(model: Model, sequence: number): number {
  return 3 * forwardOperationsPerToken(model, sequence);
}

/** Mean over the tokens of a row of that length. */
export function forwardOperationsPerToken(model: Model, sequence: number): number {
  return 2 * multipliedWeights(model) + model.n_layers * 2 * model.dim * (sequence + 1);
}

/** Mean over all tokens of rows of different lengths: their own tokens, no padding. */
export function scoringOperationsPerToken(model: Model, lengths: readonly number[]): number {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const operations = lengths.map((length) => length * forwardOperationsPerToken(model, length));
  return operations.reduce((sum, each) => sum + each, 0) / tokens;
}

/** Entries of the matrices; norms multiply too, but not as matrices. */
export function multipliedWeights({ vocab_size, dim, n_layers, n_heads, n_kv_heads, hidden_dim }: Model): number {
  const keyValueDim = (dim / n_heads) * n_kv_heads;
  return n_layers * dim * (2 * dim + 2 * keyValueDim + 3 * hidden_dim) + vocab_size * dim;
}
