/** Five optimizer steps of the golden model in every mode: accumulation, clipping, AdamW and the schedule together. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import {
  assertClose,
  type GoldenBatch,
  type GoldenConfig,
  type GoldenSet,
  type GoldenTensors,
  goldenBatches,
  goldenShape,
  goldenTest,
} from "@pretrain/golden";
import { predictions } from "@pretrain/model";
import { countsOfLengths, nextTokenLoss } from "@pretrain/scoring";
import * as tf from "@tensorflow/tfjs-core";
import {
  type Accumulator,
  accumulate,
  adamWNumbers,
  addMicroSteps,
  clipping,
  emptyAccumulator,
  type LossRule,
  learningRate,
  type MicroStep,
  microStep,
  type NamedTensors,
  optimizerStep,
  type TrainingState,
  trainingState,
} from "./index.ts";

/** Of gradients and moments, relative to the largest of a tensor, and of weights. */
const tolerances = {
  f64: { relative: 1e-5, weight: 2e-6 },
  f32: { relative: 2e-5, weight: 4e-6 }, // two computations in float32, each within its tolerance of float64
};

interface Run {
  readonly config: GoldenConfig;
  readonly batches: readonly GoldenBatch[];
  readonly rule: LossRule;
  readonly maxGradientNorm: number;
  /** Rows of a batch that are computed at once. */
  readonly rowsAtOnce: number;
}

const modes = {
  micro_mean: { rule: "micro_mean", clip: "grad_clip" },
  token_weighted: { rule: "token_weighted", clip: "grad_clip" },
  wide_clip: { rule: "micro_mean", clip: "wide_grad_clip" },
} as const satisfies Record<string, { rule: LossRule; clip: keyof GoldenConfig }>;

function runOf(set: GoldenSet, mode: keyof typeof modes, rowsAtOnce = Number.POSITIVE_INFINITY): Run {
  const config = set.json<GoldenConfig>("config.json");
  const { rule, clip } = modes[mode];
  return { config, batches: goldenBatches(set), rule, maxGradientNorm: config[clip], rowsAtOnce };
}

function storedWeights(set: GoldenSet): NamedTensors {
  const stored = [...set.tensors("weights.f32.safetensors")];
  return Object.fromEntries(
    stored.map(([name, { shape, values }]) => [name, tf.tensor(Float32Array.from(values), shape)]),
  );
}

/** Forward and backward of a batch, by groups of rows. */
function batchStep(weights: NamedTensors, { rows, lengths }: GoldenBatch, { config, rowsAtOnce }: Run): MicroStep {
  const parts: MicroStep[] = [];
  for (let begin = 0; begin < rows.length; begin += rowsAtOnce) {
    const part = rows.slice(begin, begin + rowsAtOnce).map((row) => [...row]);
    const tokens = tf.tensor2d(part, undefined, "int32");
    const counts = countsOfLengths(tf.tensor1d(lengths.slice(begin, begin + rowsAtOnce), "int32"), tokens.shape[1]);
    const shape = goldenShape(config, config.max_seq_len);
    parts.push(microStep(weights, (current) => nextTokenLoss(predictions(current, tokens, shape), tokens, counts)));
  }
  return parts.reduce(addMicroSteps);
}

/** The accumulated micro-steps of one optimizer step, and the loss of each. */
function accumulated(weights: NamedTensors, step: number, run: Run) {
  const { config, batches, rule } = run;
  const group = batches.slice(step * config.accumulation, (step + 1) * config.accumulation);
  const micros = group.map((batch) => batchStep(weights, batch, run));
  const accumulator = micros.reduce<Accumulator>(
    (sum, micro) => accumulate(sum, micro, rule),
    emptyAccumulator(weights),
  );
  return { accumulator, losses: micros.map(({ nats, tokens }) => [number(nats), number(tokens)] as const) };
}

function stepOf(state: TrainingState, accumulator: Accumulator, step: number, { config, maxGradientNorm }: Run) {
  const [beta1, beta2] = config.betas;
  const adamW = {
    beta1,
    beta2,
    epsilon: config.adam_eps,
    weightDecay: config.weight_decay,
    decayOn: "matrices" as const,
  };
  const { keep, stepSize, rootScale } = adamWNumbers(adamW, rateAt(step, config), step);
  const feeds = { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
  return optimizerStep(state, accumulator, feeds, { adamW, maxGradientNorm });
}

const rateAt = (step: number, { lr, total_optimizer_steps }: GoldenConfig) =>
  learningRate({ kind: "cosine_to_zero", peak: lr, warmupSteps: 0, totalSteps: total_optimizer_steps }, step);

const number = (tensor: tf.Tensor) => tensor.dataSync()[0] ?? Number.NaN;

interface ExpectedStep {
  readonly lr: number;
  readonly grad_norm_before_clip: number;
  readonly clip_scale: number;
  readonly targets: number;
  readonly micro: { loss_sum: number; targets: number }[];
}

interface Expected {
  readonly by_dtype: Record<string, Record<string, { steps: ExpectedStep[] }>>;
}

for (const mode of ["micro_mean", "token_weighted", "wide_clip"] as const) {
  for (const precision of ["f32", "f64"] as const) {
    const file = `train.${mode}.${precision}.safetensors`;
    const files = ["config.json", "expected.json", "weights.f32.safetensors", "batches.i32.safetensors", file];
    goldenTest("golden-model", files, `training by ${mode} is that of ${precision}`, (set) => {
      const run = runOf(set, mode);
      const steps = set.json<Expected>("expected.json").by_dtype[precision]?.[mode]?.steps ?? [];
      assert.equal(steps.length, run.config.optimizer_steps);
      const [golden, tolerance] = [set.tensors(file), tolerances[precision]];
      let state = trainingState(storedWeights(set));
      for (const [step, expected] of steps.entries()) {
        const { accumulator, losses } = accumulated(state.weights, step, run);
        if (step === 0)
          checkTensors(clippedGradients(accumulator, run), "step1.clipped_grad", golden, tolerance.relative);
        const next = stepOf(state, accumulator, step, run);
        checkNumbers(next, losses, rateAt(step, run.config), expected);
        state = next.state;
        if (step === 0) checkWeights(state.weights, "step1", run.config.lr, golden, tolerance.weight);
      }
      checkWeights(state.weights, `step${steps.length}`, run.config.lr, golden, tolerance.weight);
      checkTensors(state.firstMoments, `step${steps.length}.exp_avg`, golden, tolerance.relative);
      checkTensors(state.secondMoments, `step${steps.length}.exp_avg_sq`, golden, tolerance.relative);
    });
  }
}

function clippedGradients(accumulator: Accumulator, { maxGradientNorm }: Run): NamedTensors {
  const { gradientScale } = clipping(accumulator, maxGradientNorm);
  const scaled = Object.entries(accumulator.gradients).map(([name, sum]) => [name, tf.mul(sum, gradientScale)]);
  return Object.fromEntries(scaled);
}

function checkTensors(tensors: NamedTensors, prefix: string, golden: GoldenTensors, relative: number): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    assertClose(tensor.dataSync(), golden.get(`${prefix}.${name}`)?.values ?? [], { relative }, `${prefix}.${name}`);
  }
}

function checkNumbers(
  { gradientNorm, clipScale }: { gradientNorm: tf.Scalar; clipScale: tf.Scalar },
  losses: readonly (readonly [nats: number, tokens: number])[],
  rate: number,
  expected: ExpectedStep,
): void {
  assertClose(rate, expected.lr, { relative: 1e-12 }, "learning rate");
  assertClose(number(gradientNorm), expected.grad_norm_before_clip, { relative: 1e-5 }, "gradient norm");
  assertClose(number(clipScale), expected.clip_scale, { relative: 1e-5 }, "clip scale");
  for (const [index, { loss_sum, targets }] of expected.micro.entries()) {
    assertClose(losses[index]?.[0] ?? Number.NaN, loss_sum, { relative: 1e-5 }, `loss of micro-batch ${index}`);
    assert.equal(losses[index]?.[1], targets);
  }
}

/**
 * Adam's first steps move a coordinate by about the learning rate whatever its gradient's size, so rounding decides for
 * the few whose gradient is nearly 0: those may be off by twice the rate.
 */
function checkWeights(
  weights: NamedTensors,
  step: string,
  rate: number,
  golden: GoldenTensors,
  tolerance: number,
): void {
  for (const [name, tensor] of Object.entries(weights)) {
    const gradients = golden.get(`step1.clipped_grad.${name}`)?.values ?? new Float64Array();
    const expected = golden.get(`${step}.param.${name}`)?.values ?? new Float64Array();
    assertClose(tensor.dataSync(), expected, 2 * rate, `${step}.${name}`);
    const sizable = (_: number, index: number) => Math.abs(gradients[index] ?? 0) >= 1e-5;
    assertClose(
      tensor.dataSync().filter(sizable),
      expected.filter(sizable),
      tolerance,
      `${step}.${name}, sizable gradients`,
    );
  }
}

const trainingFiles = ["config.json", "weights.f32.safetensors", "batches.i32.safetensors"];

for (const mode of ["micro_mean", "token_weighted"] as const) {
  goldenTest(
    "golden-model",
    trainingFiles,
    `${mode}: a batch computed by groups of rows gives the numbers of the whole`,
    (set) => {
      const weights = storedWeights(set);
      const whole = runOf(set, mode);
      const step = 1; // in our own set its first batch has a row of padding, alone in its group when rows come one by one
      const expected = accumulated(weights, step, whole);
      for (const rowsAtOnce of [1, 2, 3]) {
        const { accumulator, losses } = accumulated(weights, step, { ...whole, rowsAtOnce });
        assertClose(losses.flat(), expected.losses.flat(), { relative: 2e-6 }, "losses");
        const [norm, expectedNorm] = [accumulator, expected.accumulator].map((sum) => number(clipping(sum, 1).norm));
        assertClose(norm ?? 0, expectedNorm ?? 0, { relative: 1e-5 }, "norm");
        const gradients = clippedGradients(accumulator, whole);
        for (const [name, gradient] of Object.entries(clippedGradients(expected.accumulator, whole))) {
          assertClose(gradients[name]?.dataSync() ?? [], gradient.dataSync(), { relative: 1e-5 }, name);
        }
      }
    },
  );
}
