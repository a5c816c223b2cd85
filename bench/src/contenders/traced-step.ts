/** The training step as the trainer computes it: traced functions over variables on the device. */
import { adamWNumbers } from "@pretrain/optim";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { TrainingProgram } from "@pretrain/training-program";
import type { Config } from "../protocol.ts";
import { hashedTokens, hashedWeights, shapeOf } from "./hashed.ts";
import { serve } from "./serve.ts";
import { lossRule, optimizerSettings, servedSteps, type Taken } from "./steps.ts";

class TracedStep {
  readonly #config: Config;
  readonly #program: TrainingProgram;
  #taken = 0;

  constructor(config: Config) {
    this.#config = config;
    const { rows_at_once: rowsAtOnce, precision, training } = config;
    const shape = shapeOf(config);
    const optimizer = optimizerSettings(training);
    this.#program = new TrainingProgram({ shape, lossRule, optimizer, rowsAtOnce, precision });
    for (const { name, values } of hashedWeights(shape)) {
      const zeros = new Map([[name, new Float32Array(values.length)]]);
      this.#program.set({ weight: new Map([[name, values]]), first_moment: zeros, second_moment: zeros });
    }
  }

  step(): Taken {
    const { rows, sequence, model, training } = this.#config;
    const ids = hashedTokens(this.#taken * rows * sequence, rows * sequence, model.vocab_size);
    const batch = { tokens: Uint16Array.from(ids), lengths: new Int32Array(rows).fill(sequence) };
    const { nats, tokens } = this.#program.microStep(batch);
    const { norm } = this.#program.clipping();
    this.#program.update(adamWNumbers(optimizerSettings(training).adamW, training.learning_rate, this.#taken));
    this.#taken += 1;
    return { loss: nats / tokens, gradient_norm: norm };
  }
}

await serve((config) => {
  const traced = new TracedStep(config);
  return servedSteps(config, `TensorFlow ${describeTensorFlow().tensorflowVersion}`, () => traced.step());
});
