import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { initialWeights } from "@pretrain/model";
import { faultOf, NotFinite } from "./faults.ts";
import { trainingProgram } from "./open-run.ts";
import type { Batch, TrainingSetup } from "./protocol.ts";
import { restoredState, sharedState, storedTensors } from "./stored-state.ts";
import { noSteps, TrainingRun } from "./training-run.ts";

const programsFolder = mkdtempSync(join(tmpdir(), "programs-"));
after(() => rmSync(programsFolder, { recursive: true }));

const setup: TrainingSetup = {
  experiment: "tiny",
  attempt: 1,
  attemptNonce: "n",
  recipeSha256: "a".repeat(64),
  dataset: "rows",
  datasetSha256: "b".repeat(64),
  shape: {
    vocabularySize: 40,
    dim: 16,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    hiddenDim: 24,
    normEps: 1e-5,
    ropeTheta: 1e4,
    maxSequenceLength: 12,
  },
  plan: { epochs: 4, microStepsPerEpoch: 3, accumulationSteps: 2, lastAccumulation: "carry" },
  lossRule: "micro_mean",
  schedule: { kind: "constant", peak: 1e-2, warmupSteps: 0, totalSteps: 6 },
  optimizer: {
    adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" },
    maxGradientNorm: 1,
  },
  seed: 3,
  saveInterval: 4,
  deviceBatchRows: 8,
  precision: "float32",
  memoryInterval: 10,
  exactness: {},
  resume: undefined,
  imported: undefined,
};

/** Five rows of 3 to 11 tokens, padded with `padding`; the same for the same step. */
function batchAt(microStep: number, padding = 0): Batch {
  const width = setup.shape.maxSequenceLength;
  const lengths = Int32Array.from({ length: 5 }, (_, row) => 3 + ((7 * microStep + 5 * row) % 9));
  const tokens = new Uint16Array(5 * width).fill(padding);
  lengths.forEach((length, row) => {
    for (let p = 0; p < length; p += 1) tokens[row * width + p] = (3 + 11 * microStep + 13 * row + p * p) % 40;
  });
  return { microStep, epoch: Math.ceil(microStep / 3), tokens, lengths, next: { epoch: 1, row: 5 * microStep } };
}

function newRun(changed: Partial<TrainingSetup> = {}, weights = initialWeights(setup.shape, setup.seed)): TrainingRun {
  const changedSetup = { ...setup, ...changed };
  const program = trainingProgram(changedSetup, programsFolder);
  program.begin(weights);
  return new TrainingRun(changedSetup, program, noSteps);
}

function stateOf({ program }: TrainingRun) {
  const state = sharedState(setup.shape);
  program.copyTo(state);
  return storedTensors(state, setup.shape);
}

const lossesOf = (run: TrainingRun, steps: readonly number[], padding = 0) =>
  steps.map((microStep) => {
    const { lossNats, lossTokens } = run.step(batchAt(microStep, padding));
    return lossNats / lossTokens;
  });

test("the first loss is near ln 40, and training on the same rows lowers it by more than a third", () => {
  const run = newRun();
  const first = lossesOf(run, [1])[0] ?? 0;
  assert.ok(Math.abs(first - Math.log(40)) < 0.3, `${first}`);
  for (let microStep = 2; microStep <= 80; microStep += 1) run.step({ ...batchAt(1 + (microStep % 2)), microStep });
  const last = run.step({ ...batchAt(1), microStep: 81 });
  assert.ok(last.lossNats / last.lossTokens < (2 * first) / 3, `${first} to ${last.lossNats / last.lossTokens}`);
});

test("two runs give the same numbers, bit for bit; another seed gives others", () => {
  const steps = [1, 2, 3, 4, 5, 6];
  const losses = lossesOf(newRun(), steps);
  assert.deepEqual(lossesOf(newRun(), steps), losses);
  const other = newRun({}, initialWeights(setup.shape, 4));
  assert.notDeepEqual(lossesOf(other, steps), losses);
});

test("what stands in the padding changes no bit", () => {
  const steps = [1, 2, 3, 4, 5];
  assert.deepEqual(lossesOf(newRun(), steps, 17), lossesOf(newRun(), steps, 0));
});

test("however many rows the device takes at once, losses agree to 2e-6 and positions are those computed", () => {
  const steps = [1, 2, 3, 4, 5, 6];
  const whole = newRun();
  const one = newRun({ deviceBatchRows: 1 });
  for (const microStep of steps) {
    const [a, b] = [whole.step(batchAt(microStep)), one.step(batchAt(microStep))];
    assert.equal(a.lossTokens, b.lossTokens);
    assert.ok(
      Math.abs(a.lossNats - b.lossNats) <= 2e-6 * a.lossNats,
      `step ${microStep}: ${a.lossNats}, ${b.lossNats}`,
    );
    assert.ok(Math.abs((a.update?.gradientNorm ?? 0) - (b.update?.gradientNorm ?? 0)) < 2e-5);
    const widths = [...batchAt(microStep).lengths].map((length) => 2 * Math.ceil(length / 2)); // in eighths of 12, rounded up
    assert.equal(a.positions, 8 * Math.max(...widths));
    assert.equal(
      b.positions,
      widths.reduce((sum, width) => sum + width, 0),
    );
  }
});

test("counts are those of the rows: targets are tokens less one per row, updates come every second step", () => {
  const run = newRun();
  const lengths = [...batchAt(1).lengths];
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const first = run.step(batchAt(1));
  assert.deepEqual([first.tokens, first.lossTokens, first.rows, first.optimizerStep], [tokens, tokens - 5, 5, 0]);
  assert.equal(first.update, undefined);
  const second = run.step(batchAt(2));
  assert.equal(second.optimizerStep, 1);
  assert.ok(second.update !== undefined && second.update.gradientNorm > 0 && second.update.clipScale <= 1);
  assert.equal(second.tokensSeen, first.tokens + second.tokens);
  assert.deepEqual(run.counters.cursor, { epoch: 1, row: 10 });
});

test("going on from what a checkpoint keeps gives the bits of going on without one", () => {
  const run = newRun();
  lossesOf(run, [1, 2, 3, 4]);
  const program = trainingProgram(setup, programsFolder);
  program.set(restoredState(stateOf(run)));
  const resumed = new TrainingRun(setup, program, run.counters);
  const rest = [5, 6, 7, 8, 9, 10];
  assert.deepEqual(lossesOf(resumed, rest), lossesOf(run, rest));
  assert.deepEqual(stateOf(resumed), stateOf(run));
});

test("a loss or a gradient that is no number ends the experiment, and the message names the step", () => {
  const withNorm = (value: number) =>
    new Map(initialWeights(setup.shape, 1)).set("norm.weight", new Float32Array(16).fill(value));
  const everyStep = { plan: { ...setup.plan, accumulationSteps: 1 }, lossRule: "token_weighted" } as const;
  for (const [value, words] of [
    [Number.NaN, /the loss of micro-step 1 is NaN/],
    [1e25, /the (loss|gradient norm) of .*step 1.* is (Infinity|NaN)/],
  ] as const) {
    const run = newRun(everyStep, withNorm(value));
    const before = stateOf(run);
    assert.throws(
      () => run.step(batchAt(1)),
      (error) => {
        assert.ok(error instanceof NotFinite);
        assert.equal(faultOf(error)?.reason, "NOT_FINITE");
        return words.test(error.message);
      },
    );
    assert.deepEqual(stateOf(run), before, "no weight and no moment was touched");
  }
});
