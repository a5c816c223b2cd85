/** What a program says of single rows: it is what a step computes of them together, and it leaves no trace in the step. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { initialWeights } from "@pretrain/model";
import { adamWNumbers } from "@pretrain/optim";
import { type Rows, TrainingProgram } from "./index.ts";

const shape = {
  vocabularySize: 50,
  dim: 16,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  hiddenDim: 24,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxSequenceLength: 24,
};
const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" } as const;
const lengths = Int32Array.of(24, 1, 7, 13, 2);

/** Five rows, one of them without a target, in groups of two. */
const rows: Rows = {
  tokens: Uint16Array.from({ length: 5 * 24 }, (_, index) => (13 * index + index ** 2) % 50),
  lengths,
};

function program(rowsAtOnce = 2): TrainingProgram {
  const optimizer = { adamW, maxGradientNorm: 0.5 };
  const made = new TrainingProgram({ shape, lossRule: "micro_mean", optimizer, rowsAtOnce });
  made.begin(initialWeights(shape, 7));
  return made;
}

function rowAlone(row: number): Uint16Array {
  return rows.tokens.slice(24 * row, 24 * row + (lengths[row] ?? 0));
}

test("each row has a loss for each target, and their sum is the loss of the step", () => {
  using whole = program();
  const losses = whole.targetLosses(rows);
  assert.deepEqual(
    losses.map(({ length }) => length),
    [23, 0, 6, 12, 1],
  );
  const sum = losses.flatMap((ofRow) => [...ofRow]).reduce((a, b) => a + b, 0);
  assertClose(sum, whole.microStep(rows).nats, { relative: 1e-6 });
});

test("a row's losses and norm are those of a step that has this row alone", () => {
  using whole = program();
  const losses = whole.targetLosses(rows);
  for (const row of [0, 2, 3, 4]) {
    using alone = program(1);
    const tokens = rowAlone(row);
    const { nats } = alone.microStep({ tokens, lengths: Int32Array.of(tokens.length) });
    assertClose(losses[row]?.reduce((a, b) => a + b, 0) ?? Number.NaN, nats, { relative: 2e-6 }, `loss ${row}`);
    assertClose(whole.rowGradientNorm(tokens), alone.clipping().norm, { relative: 1e-5 }, `norm ${row}`);
  }
  assert.equal(whole.rowGradientNorm(rowAlone(1)), 0); // nothing to predict, nothing to learn
});

test("asking for single rows changes no bit of the step that they are in, nor of the next one", () => {
  const run = (asks: boolean) => {
    using asked = program();
    const numbers: number[] = [];
    for (let step = 0; step < 2; step += 1) {
      for (let micro = 0; micro < 2; micro += 1) {
        if (asks) void [asked.targetLosses(rows), asked.rowGradientNorm(rowAlone(3))];
        numbers.push(asked.microStep(rows).nats);
      }
      const { norm, clipScale } = asked.clipping();
      asked.update(adamWNumbers(adamW, 1e-2, step));
      numbers.push(norm, clipScale);
    }
    return numbers;
  };
  assert.deepEqual(run(true), run(false));
});
