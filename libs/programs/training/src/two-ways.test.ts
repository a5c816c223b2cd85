/** Training traced and training eagerly are one: random small models, batches, groups of rows and accumulations, 20 optimizer steps. */
import "@pretrain/tensorflow-native";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { initialWeights, type ModelShape, parameterShapes, predictions } from "@pretrain/model";
import {
  accumulate,
  adamW,
  adamWNumbers,
  clipping,
  type LossRule,
  microStep,
  type NamedTensors,
  reciprocal,
  shareOf,
  type TrainingState,
  trainingState,
  weightOf,
} from "@pretrain/optim";
import { countsOfLengths, nextTokenLoss } from "@pretrain/scoring";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { type Rows, TrainingProgram } from "./index.ts";

const optimizer = {
  adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" },
  maxGradientNorm: 1,
} as const;
const optimizerSteps = 20;
const rate = 1e-3;

interface Case {
  readonly shape: ModelShape;
  readonly rows: number;
  readonly rowsAtOnce: number;
  readonly accumulation: number;
  readonly lossRule: LossRule;
  readonly kernels: "fused" | "plain";
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    group: fc.constantFrom(1, 2, 3),
    keyValueHeads: fc.constantFrom(1, 2),
    headWidth: fc.constantFrom(4, 8, 16),
    layers: fc.integer({ min: 1, max: 2 }),
    hiddenDim: fc.integer({ min: 5, max: 40 }),
    vocabularySize: fc.integer({ min: 7, max: 60 }),
    maxSequenceLength: fc.integer({ min: 5, max: 40 }),
    rows: fc.integer({ min: 1, max: 5 }),
    rowsAtOnce: fc.integer({ min: 1, max: 4 }),
    accumulation: fc.integer({ min: 1, max: 2 }),
    lossRule: fc.constantFrom<LossRule>("micro_mean", "token_weighted"),
    kernels: fc.constantFrom("fused", "plain"),
  })
  .map(({ group, keyValueHeads, headWidth, layers, hiddenDim, vocabularySize, maxSequenceLength, ...others }) => {
    const heads = group * keyValueHeads;
    const sizes = { vocabularySize, layers, heads, keyValueHeads, hiddenDim, maxSequenceLength };
    return { ...others, shape: { ...sizes, dim: heads * headWidth, normEps: 1e-5, ropeTheta: 1e4 } };
  });

/** Rows of 1 token to the longest; the same for the same step. */
function rowsAt(step: number, { shape, rows }: Case): Rows {
  const { maxSequenceLength: stride, vocabularySize } = shape;
  const lengths = Int32Array.from({ length: rows }, (_, row) => 1 + ((7 * step + 5 * row) % stride));
  const tokens = Uint16Array.from(
    { length: rows * stride },
    (_, index) => (11 * step + 13 * index + index ** 2) % vocabularySize,
  );
  return { tokens, lengths };
}

/** The losses of all micro-steps and the weights behind the last, by the eager functions alone, each batch whole. */
function eagerly(each: Case): { losses: number[]; weights: Map<string, Float32Array> } {
  const shapes = parameterShapes(each.shape);
  const initial = [...initialWeights(each.shape, 5)].map(([name, values]) => [
    name,
    tf.tensor(values, [...(shapes.get(name) ?? [])]),
  ]);
  let state: TrainingState = trainingState(Object.fromEntries(initial));
  const losses: number[] = [];
  for (let step = 0; step < optimizerSteps; step += 1) {
    state = tf.tidy(() => {
      let sums: NamedTensors | undefined;
      let weight = 0;
      for (let micro = 0; micro < each.accumulation; micro += 1) {
        const { nats, gradients, tokens } = eagerMicroStep(state, rowsAt(step * each.accumulation + micro, each), each);
        losses.push(nats);
        sums = sums === undefined ? gradients : accumulate(sums, gradients);
        weight += weightOf(each.lossRule, tokens);
      }
      const { gradientScale } = clipping(sums ?? {}, tf.scalar(reciprocal(weight)), optimizer.maxGradientNorm);
      const { keep, stepSize, rootScale } = adamWNumbers(optimizer.adamW, rate, step);
      const feeds = { keep: tf.scalar(keep), stepSize: tf.scalar(stepSize), rootScale: tf.scalar(rootScale) };
      return adamW(state, sums ?? {}, gradientScale, feeds, optimizer.adamW);
    });
  }
  const weights = Object.entries(state.weights).map(([name, tensor]) => [name, tensor.dataSync<"float32">()] as const);
  return { losses, weights: new Map(weights) };
}

function eagerMicroStep(state: TrainingState, { tokens, lengths }: Rows, { shape, lossRule }: Case) {
  const ids = tf.tensor2d(Int32Array.from(tokens), [lengths.length, shape.maxSequenceLength], "int32");
  const counts = countsOfLengths(tf.tensor1d(lengths, "int32"), shape.maxSequenceLength);
  const targets = lengths.reduce((sum, length) => sum + length - 1, 0);
  const loss = (weights: NamedTensors) => nextTokenLoss(predictions(weights, ids, shape), ids, counts).nats;
  const { nats, gradients } = microStep(state.weights, loss, tf.scalar(shareOf(lossRule, targets)));
  return { nats: nats.dataSync()[0] ?? Number.NaN, gradients, tokens: targets };
}

function traced(each: Case): { losses: number[]; weights: ReadonlyMap<string, Float32Array> } {
  const { shape, lossRule, rowsAtOnce, kernels } = each;
  using program = new TrainingProgram({ shape, lossRule, optimizer, rowsAtOnce, kernels });
  const weight = initialWeights(shape, 5);
  const zeros = () => new Map([...weight].map(([name, { length }]) => [name, new Float32Array(length)]));
  program.set({ weight, first_moment: zeros(), second_moment: zeros() });
  const losses: number[] = [];
  for (let step = 0; step < optimizerSteps; step += 1) {
    for (let micro = 0; micro < each.accumulation; micro += 1) {
      losses.push(program.microStep(rowsAt(step * each.accumulation + micro, each)).nats);
    }
    program.clipping();
    program.update(adamWNumbers(optimizer.adamW, rate, step));
  }
  return { losses, weights: program.get("weight") };
}

test("traced and eager training agree over 20 optimizer steps, whatever the sizes, groups of rows and accumulation", () => {
  fc.assert(
    fc.property(cases, (each) => {
      const [ours, expected] = [traced(each), eagerly(each)];
      assertClose(ours.losses, expected.losses, { relative: 1e-4 }, "losses");
      for (const [name, values] of expected.weights) {
        // Adam moves a weight by the rate whatever its gradient's size: where that is nearly 0, rounding decides.
        assertClose(ours.weights.get(name) ?? [], values, 4 * rate, name);
      }
    }),
    { numRuns: 8, seed: 20 },
  );
});
