/** One layer: attention and feed-forward, each behind a norm and added to the stream. */
import * as tf from "@tensorflow/tfjs-core";
import { gatedProjection } from "./feed-forward.ts";
import { linear } from "./linear.ts";
import type { ModelShape } from "./model-shape.ts";
import { normedProjection } from "./normed-projection.ts";
import { rmsNorm } from "./rms-norm.ts";
import { hasThinProduct, thinProduct } from "./thin-product.ts";
import { matrix, vector, type Weights } from "./weights.ts";

/** What a layer's heads read, [rows, heads * head_dim], from its projections [rows, (heads + 2 kv_heads) head_dim]. */
export type Attend = (qkv: tf.Tensor2D, layer: number) => tf.Tensor2D;

/**
 * The stream behind layer `layer`.
 *
 * @param stream [rows, dim], a row for each position of each sequence: only `attend` knows which are whose
 */
export function block(
  weights: Weights,
  layer: number,
  stream: tf.Tensor2D,
  shape: ModelShape,
  attend: Attend,
): tf.Tensor2D {
  const prefix = `layers.${layer}`;
  const behindNorm = (x: tf.Tensor2D, norm: string, names: readonly string[]) => {
    const matrices = names.map((name) => matrix(weights, `${prefix}.${name}.weight`));
    return projections(x, vector(weights, `${prefix}.${norm}.weight`), matrices, shape.normEps);
  };
  const qkv = tf.tidy(() => behindNorm(stream, "attention_norm", ["attention.wq", "attention.wk", "attention.wv"]));
  const read = attend(qkv, layer); // not tidied here: it may have more to keep than what it returns
  return tf.tidy(() => {
    const afterAttention: tf.Tensor2D = tf.add(stream, linear(read, matrix(weights, `${prefix}.attention.wo.weight`)));
    const gateUp = behindNorm(afterAttention, "ffn_norm", ["feed_forward.w1", "feed_forward.w3"]);
    return tf.add(afterAttention, gatedProjection(gateUp, matrix(weights, `${prefix}.feed_forward.w2.weight`)));
  });
}

/** Below so many rows it costs more to lay matrices side by side than their one product saves. */
const fewRows = 64;

/** Products of a norm's output with matrices that all read it, side by side: as one product, which is wider and reads it once. */
function projections(x: tf.Tensor2D, norm: tf.Tensor1D, matrices: readonly tf.Tensor2D[], eps: number): tf.Tensor2D {
  if (x.shape[0] >= fewRows) return normedProjection(x, norm, tf.concat([...matrices], 0), eps);
  const normed = rmsNorm(x, norm, eps);
  if (hasThinProduct(normed)) return thinProduct(normed, matrices);
  return tf.concat(
    matrices.map((each) => linear(normed, each)),
    1,
  );
}
