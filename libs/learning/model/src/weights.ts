/** The parameters of a model by name. */
import type * as tf from "@tensorflow/tfjs-core";

export type Weights = Readonly<Record<string, tf.Tensor>>;

/** @throws RangeError when there is no such matrix */
export function matrix(weights: Weights, name: string): tf.Tensor2D {
  return ofRank<tf.Tensor2D>(weights, name, 2);
}

/** @throws RangeError when there is no such vector */
export function vector(weights: Weights, name: string): tf.Tensor1D {
  return ofRank<tf.Tensor1D>(weights, name, 1);
}

function ofRank<Ranked extends tf.Tensor>(weights: Weights, name: string, rank: number): Ranked {
  const tensor = weights[name];
  if (tensor === undefined) throw new RangeError(`the weights have no ${name}`);
  if (!isOfRank<Ranked>(tensor, rank)) throw new RangeError(`${name} has rank ${tensor.rank}, expected ${rank}`);
  return tensor;
}

function isOfRank<Ranked extends tf.Tensor>(tensor: tf.Tensor, rank: number): tensor is Ranked {
  return tensor.rank === rank;
}
