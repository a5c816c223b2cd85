/** Adam with decoupled weight decay: Loshchilov and Hutter 2019, arxiv.org/abs/1711.05101. */
import { hasKernel, runKernel } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { mapTensors, type NamedTensors, named } from "./named-tensors.ts";

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  /** Added outside of the root. */
  readonly epsilon: number;
  readonly weightDecay: number;
  /** `matrices`: the embedding included, norms not. */
  readonly decayOn: "matrices" | "all";
}

export interface OptimizerSettings {
  readonly adamW: AdamWSettings;
  /** Largest global norm of the gradients. */
  readonly maxGradientNorm: number;
}

/** All that an optimizer step changes. */
export type TrainingState = {
  readonly weights: NamedTensors;
  readonly firstMoments: NamedTensors;
  readonly secondMoments: NamedTensors;
};

/** The numbers that change from step to step. */
export interface AdamWNumbers<Number> {
  /** What decay leaves of a parameter: 1 - learning rate * weight decay. */
  readonly keep: Number;
  /** learning rate / (1 - beta1^t): the first moment's bias correction is in it. */
  readonly stepSize: Number;
  /** 1 / √(1 - beta2^t): the second moment's bias correction, of its root. */
  readonly rootScale: Number;
}

/** The same as tensors, fed to each step, so that one traced function serves all steps. */
export type AdamWFeeds = AdamWNumbers<tf.Scalar>;

/** The state before the first step. */
export function trainingState(weights: NamedTensors): TrainingState {
  const zeros = () => mapTensors(weights, (tensor) => tf.zerosLike(tensor));
  return { weights, firstMoments: zeros(), secondMoments: zeros() };
}

/** Computed in float64 and rounded once, when fed: beta^t in float32 is off by 1e-4 of 1 - beta^t at late steps. @param optimizerStep from 0 */
export function adamWNumbers(
  settings: AdamWSettings,
  learningRate: number,
  optimizerStep: number,
): AdamWNumbers<number> {
  const time = optimizerStep + 1;
  return {
    keep: 1 - learningRate * settings.weightDecay,
    stepSize: learningRate / (1 - settings.beta1 ** time),
    rootScale: 1 / Math.sqrt(1 - settings.beta2 ** time),
  };
}

/**
 * With g the gradient times `gradientScale`:
 * m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g²,  w = keep w - stepSize m / (√v rootScale + epsilon).
 */
export function adamW(
  state: TrainingState,
  gradients: NamedTensors,
  gradientScale: tf.Scalar,
  feeds: AdamWFeeds,
  settings: AdamWSettings,
): TrainingState {
  const update = hasKernel("AdamW") ? oneKernel : plainGraph;
  const updated = Object.keys(state.weights).map((name): [string, Parameter] => {
    const [weight, firstMoment, secondMoment] = [state.weights, state.firstMoments, state.secondMoments].map(
      (tensors) => named(tensors, name),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const isDecayed = settings.decayOn === "all" || weight.rank === 2;
    const numbers = isDecayed ? feeds : { ...feeds, keep: tf.scalar(1) };
    const parameter = { weight, firstMoment, secondMoment };
    return [name, tf.tidy(() => update(parameter, named(gradients, name), gradientScale, numbers, settings))];
  });
  const each = (part: keyof Parameter) =>
    Object.fromEntries(updated.map(([name, parameter]) => [name, parameter[part]]));
  return { weights: each("weight"), firstMoments: each("firstMoment"), secondMoments: each("secondMoment") };
}

type Parameter = { readonly weight: tf.Tensor; readonly firstMoment: tf.Tensor; readonly secondMoment: tf.Tensor };

function plainGraph(
  { weight, firstMoment, secondMoment }: Parameter,
  gradient: tf.Tensor,
  gradientScale: tf.Scalar,
  { keep, stepSize, rootScale }: AdamWFeeds,
  { beta1, beta2, epsilon }: AdamWSettings,
): Parameter {
  const scaled = tf.mul(gradient, gradientScale);
  const first = blend(firstMoment, scaled, beta1);
  const second = blend(secondMoment, tf.square(scaled), beta2);
  const change = tf.mul(tf.div(first, tf.add(tf.mul(tf.sqrt(second), rootScale), epsilon)), stepSize);
  return { weight: tf.sub(tf.mul(weight, keep), change), firstMoment: first, secondMoment: second };
}

function oneKernel(
  parameter: Parameter,
  gradient: tf.Tensor,
  gradientScale: tf.Scalar,
  feeds: AdamWFeeds,
  { beta1, beta2, epsilon }: AdamWSettings,
): Parameter {
  const inputs = { ...parameter, gradient, gradientScale, ...feeds };
  const [weight, firstMoment, secondMoment] = runKernel("AdamW", inputs, { beta1, beta2, epsilon });
  return { weight, firstMoment, secondMoment } as Parameter;
}

/** The moving average one step on. */
function blend(average: tf.Tensor, value: tf.Tensor, beta: number): tf.Tensor {
  return tf.add(tf.mul(average, beta), tf.mul(value, 1 - beta));
}
