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
  accumulate,
  adamW,
  adamWNumbers,
  clipping,
  type LossRule,
  learningRate,
  microStep,
  type NamedTensors,
  reciprocal,
  shareOf,
  type TrainingState,
  trainingState,
  weightOf,
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

interface BatchLoss {
  readonly nats: number;
  readonly tokens: number;
}

/** Gradients summed so far, and what they are a sum of. */
interface Accumulated {
  readonly sums: NamedTensors;
  readonly weight: number;
  readonly losses: readonly BatchLoss[];
}

/** One batch more, forward and backward by groups of rows. */
function withBatch(
  before: Accumulated,
  weights: NamedTensors,
  { rows, lengths }: GoldenBatch,
  { config, rowsAtOnce, rule }: Run,
): Accumulated {
  const shape = goldenShape(config, config.max_seq_len);
  const targets = lengths.reduce((sum, length) => sum + Math.max(0, length - 1), 0);
  let [sums, nats] = [before.sums, 0];
  for (let begin = 0; begin < rows.length; begin += rowsAtOnce) {
    const part = rows.slice(begin, begin + rowsAtOnce).map((row) => [...row]);
    const tokens = tf.tensor2d(part, undefined, "int32");
    const counts = countsOfLengths(tf.tensor1d(lengths.slice(begin, begin + rowsAtOnce), "int32"), tokens.shape[1]);
    const loss = (current: NamedTensors) => nextTokenLoss(predictions(current, tokens, shape), tokens, counts).nats;
    const micro = microStep(weights, loss, tf.scalar(shareOf(rule, targets)));
    sums = accumulate(sums, micro.gradients);
    nats += number(micro.nats);
  }
  return {
    sums,
    weight: before.weight + weightOf(rule, targets),
    losses: [...before.losses, { nats, tokens: targets }],
  };
}

/** The micro-steps of one optimizer step together. */
function accumulated(weights: NamedTensors, step: number, run: Run): Accumulated {
  const { config, batches } = run;
  const zeros = Object.entries(weights).map(([name, tensor]) => [name, tf.zerosLike(tensor)]);
  const nothing: Accumulated = { sums: Object.fromEntries(zeros), weight: 0, losses: [] };
  const group = batches.slice(step * config.accumulation, (step + 1) * config.accumulation);
  return group.reduce((sum, batch) => withBatch(sum, weights, batch, run), nothing);
}

const clippingOf = ({ sums, weight }: Accumulated, maxNorm: number) =>
  clipping(sums, tf.scalar(reciprocal(weight)), maxNorm);

function stepOf(state: TrainingState, sum: Accumulated, step: number, { config, maxGradientNorm }: Run) {
  const [beta1, beta2] = config.betas;
  const settings = {
    beta1,
    beta2,
    epsilon: config.adam_eps,
    weightDecay: config.weight_decay,
    decayOn: "matrices" as const,
  };
  const { keep, stepSize, rootScale } = adamWNumbers(settings, rateAt(step, config), step);
  const feeds = { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
  const { norm, clipScale, gradientScale } = clippingOf(sum, maxGradientNorm);
  return { state: adamW(state, sum.sums, gradientScale, feeds, settings), gradientNorm: norm, clipScale };
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
        const sum = accumulated(state.weights, step, run);
        if (step === 0) checkTensors(clippedGradients(sum, run), "step1.clipped_grad", golden, tolerance.relative);
        const next = stepOf(state, sum, step, run);
        checkNumbers(next, sum.losses, rateAt(step, run.config), expected);
        state = next.state;
        if (step === 0) checkWeights(state.weights, "step1", run.config.lr, golden, tolerance.weight);
      }
      checkWeights(state.weights, `step${steps.length}`, run.config.lr, golden, tolerance.weight);
      checkTensors(state.firstMoments, `step${steps.length}.exp_avg`, golden, tolerance.relative);
      checkTensors(state.secondMoments, `step${steps.length}.exp_avg_sq`, golden, tolerance.relative);
    });
  }
}

function clippedGradients(sum: Accumulated, { maxGradientNorm }: Run): NamedTensors {
  const { gradientScale } = clippingOf(sum, maxGradientNorm);
  const scaled = Object.entries(sum.sums).map(([name, gradient]) => [name, tf.mul(gradient, gradientScale)]);
  return Object.fromEntries(scaled);
}

function checkTensors(tensors: NamedTensors, prefix: string, golden: GoldenTensors, relative: number): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    assertClose(tensor.dataSync(), golden.get(`${prefix}.${name}`)?.values ?? [], { relative }, `${prefix}.${name}`);
  }
}

function checkNumbers(
  { gradientNorm, clipScale }: { gradientNorm: tf.Scalar; clipScale: tf.Scalar },
  losses: readonly BatchLoss[],
  rate: number,
  expected: ExpectedStep,
): void {
  assertClose(rate, expected.lr, { relative: 1e-12 }, "learning rate");
  assertClose(number(gradientNorm), expected.grad_norm_before_clip, { relative: 1e-5 }, "gradient norm");
  assertClose(number(clipScale), expected.clip_scale, { relative: 1e-5 }, "clip scale");
  for (const [index, { loss_sum, targets }] of expected.micro.entries()) {
    assertClose(losses[index]?.nats ?? Number.NaN, loss_sum, { relative: 1e-5 }, `loss of micro-batch ${index}`);
    assert.equal(losses[index]?.tokens, targets);
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
        const found = accumulated(weights, step, { ...whole, rowsAtOnce });
        const natsOf = (sum: Accumulated) => sum.losses.map(({ nats }) => nats);
        assertClose(natsOf(found), natsOf(expected), { relative: 2e-6 }, "losses");
        const [norm, expectedNorm] = [found, expected].map((sum) => number(clippingOf(sum, 1).norm));
        assertClose(norm ?? 0, expectedNorm ?? 0, { relative: 1e-5 }, "norm");
        const gradients = clippedGradients(found, whole);
        for (const [name, gradient] of Object.entries(clippedGradients(expected, whole))) {
          assertClose(gradients[name]?.dataSync() ?? [], gradient.dataSync(), { relative: 1e-5 }, name);
        }
      }
    },
  );
}
