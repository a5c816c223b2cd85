/** The training step as the trainer's eager path computes it: one micro-step of the whole batch, then the optimizer. */
import { predictions, type Weights } from "@pretrain/model";
import {
  adamW,
  adamWNumbers,
  clipping,
  microStep,
  reciprocal,
  shareOf,
  type TrainingState,
  trainingState,
  weightOf,
} from "@pretrain/optim";
import { countsOfLengths, nextTokenLoss } from "@pretrain/scoring";
import { describeTensorFlow, tf } from "@pretrain/tensorflow-native";
import type { Config } from "../protocol.ts";
import { hashedTokens, shapeOf } from "./hashed.ts";
import { serve } from "./serve.ts";
import { lossRule, optimizerSettings, servedSteps, type Taken } from "./steps.ts";
import { weightsOnDevice } from "./weights-on-device.ts";

class EagerStep {
  readonly #config: Config;
  #state: TrainingState;
  #taken = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#state = trainingState(weightsOnDevice(shapeOf(config)));
  }

  step(): Taken {
    const before = this.#state;
    const { state, loss, gradientNorm } = tf.tidy(() => this.#computed(before));
    const taken = { loss: valueOf(loss), gradient_norm: valueOf(gradientNorm) };
    tf.dispose([before, loss, gradientNorm]);
    this.#state = state;
    this.#taken += 1;
    return taken;
  }

  #computed(state: TrainingState) {
    const { rows, sequence, model, training } = this.#config;
    const shape = shapeOf(this.#config);
    const ids = hashedTokens(this.#taken * rows * sequence, rows * sequence, model.vocab_size);
    const tokens = tf.tensor2d(ids, [rows, sequence], "int32");
    const counts = countsOfLengths(tf.fill([rows], sequence, "int32"), sequence);
    const targets = rows * (sequence - 1);
    const lossSum = (weights: Weights) => nextTokenLoss(predictions(weights, tokens, shape), tokens, counts).nats;
    const micro = microStep(state.weights, lossSum, tf.scalar(shareOf(lossRule, targets)));
    const settings = optimizerSettings(training);
    const meanShare = tf.scalar(reciprocal(weightOf(lossRule, targets)));
    const { norm, gradientScale } = clipping(micro.gradients, meanShare, settings.maxGradientNorm);
    const { keep, stepSize, rootScale } = adamWNumbers(settings.adamW, training.learning_rate, this.#taken);
    const feeds = { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
    const next = adamW(state, micro.gradients, gradientScale, feeds, settings.adamW);
    return { state: next, gradientNorm: norm, loss: tf.div<tf.Scalar>(micro.nats, targets) };
  }
}

function valueOf(scalar: tf.Scalar): number {
  return scalar.dataSync()[0] ?? Number.NaN;
}

await serve((config) => {
  const eager = new EagerStep(config);
  return servedSteps(config, `TensorFlow ${describeTensorFlow().tensorflowVersion}`, () => eager.step());
});
