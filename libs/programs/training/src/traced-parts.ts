/** The functions of training as they are traced: learning's own, over variables. */
import { type ModelShape, predictions } from "@pretrain/model";
import { accumulate, adamW, clipping, microStep, type OptimizerSettings } from "@pretrain/optim";
import { countsOfLengths, nextTokenLoss, nextTokenLosses } from "@pretrain/scoring";
import type { Traceable } from "@pretrain/tensor-graph";
import * as tf from "@tensorflow/tfjs-core";
import { asPart, partOf, trainingStateOf, variablesOf } from "./training-variables.ts";

/**
 * Forward and backward of a group of rows. Feeds: tokens [rows, width], lengths [rows], share.
 *
 * @param isFirst of its optimizer step: its gradients are the sum, instead of being added to it
 */
export function groupStep(shape: ModelShape, isFirst: boolean): Traceable {
  return ({ state, feeds }) => {
    const tokens = feeds["tokens"] as tf.Tensor2D;
    const counts = countsOfLengths(feeds["lengths"] as tf.Tensor1D, tokens.shape[1]);
    const micro = microStep(
      partOf(state, "weight"),
      (weights) => nextTokenLoss(predictions(weights, tokens, shape), tokens, counts).nats,
      feeds["share"] as tf.Scalar,
    );
    const sums = isFirst ? micro.gradients : accumulate(partOf(state, "sum"), micro.gradients);
    return { state: asPart(sums, "sum"), outputs: { nats: micro.nats } };
  };
}

/** What each target of a group of rows costs, [rows, width - 1] nats. Feeds: tokens [rows, width], lengths [rows]. Changes nothing. */
export function targetLosses(shape: ModelShape): Traceable {
  return ({ state, feeds }) => {
    const tokens = feeds["tokens"] as tf.Tensor2D;
    const counts = countsOfLengths(feeds["lengths"] as tf.Tensor1D, tokens.shape[1]);
    const predicted = predictions(partOf(state, "weight"), tokens, shape);
    return { outputs: { losses: nextTokenLosses(predicted, tokens, counts) } };
  };
}

/** The norm of the gradient of `share` times the losses of some rows alone. Feeds as of `groupStep`. Changes nothing. */
export function gradientNorm(shape: ModelShape, { maxGradientNorm }: OptimizerSettings): Traceable {
  return ({ state, feeds }) => {
    const tokens = feeds["tokens"] as tf.Tensor2D;
    const counts = countsOfLengths(feeds["lengths"] as tf.Tensor1D, tokens.shape[1]);
    const { gradients } = microStep(
      partOf(state, "weight"),
      (weights) => nextTokenLoss(predictions(weights, tokens, shape), tokens, counts).nats,
      feeds["share"] as tf.Scalar,
    );
    return { outputs: { norm: clipping(gradients, tf.scalar(1), maxGradientNorm).norm } };
  };
}

/** How the summed gradients are clipped. Feed: meanShare. Changes nothing: what is not finite is found before it reaches a weight. */
export function clip({ maxGradientNorm }: OptimizerSettings): Traceable {
  return ({ state, feeds }) => ({
    outputs: clipping(partOf(state, "sum"), feeds["meanShare"] as tf.Scalar, maxGradientNorm),
  });
}

/** One update of weights and moments. Feeds: gradientScale, keep, stepSize, rootScale. */
export function update(settings: OptimizerSettings): Traceable {
  return ({ state, feeds }) => {
    const numbers = feeds as Record<"gradientScale" | "keep" | "stepSize" | "rootScale", tf.Scalar>;
    const { gradientScale, ...others } = numbers;
    const next = adamW(trainingStateOf(state), partOf(state, "sum"), gradientScale, others, settings.adamW);
    return { state: variablesOf(next), outputs: {} };
  };
}
