import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  endsOptimizerStep,
  epochOf,
  isCheckpointDue,
  microStepsPerEpoch,
  optimizerStepsAfter,
  type StepPlan,
  totals,
} from "./step-plan.ts";

const recorded: StepPlan = { epochs: 3, microStepsPerEpoch: 57_795, accumulationSteps: 8, lastAccumulation: "carry" };

function stepsWhere(plan: StepPlan, holds: (microStep: number) => boolean): number[] {
  return Array.from({ length: totals(plan).microSteps }, (_, i) => i + 1).filter(holds);
}

test("the recorded run has 173,385 micro-steps and 21,673 optimizer steps, the last micro-step being in none", () => {
  const [fewest, most] = [7_397_633, 7_397_760]; // rows of which the last batch of 57,795 holds one, or 128
  assert.deepEqual(
    [fewest - 1, fewest, most, most + 1].map((rows) => microStepsPerEpoch(rows, 128)),
    [57_794, 57_795, 57_795, 57_796],
  );
  assert.deepEqual(totals(recorded), { microSteps: 173_385, optimizerSteps: 21_673 });
  assert.equal(endsOptimizerStep(recorded, 173_384), true);
  assert.equal(endsOptimizerStep(recorded, 173_385), false);
  assert.deepEqual(totals({ ...recorded, lastAccumulation: "step" }).optimizerSteps, 3 * 7225); // 57,795 / 8 = 7,224.4
});

test("it has 17 checkpoints at multiples of 10,000, and one at the end", () => {
  const due = stepsWhere(recorded, (step) => isCheckpointDue(recorded, 10_000, step));
  assert.deepEqual(due, [...Array.from({ length: 17 }, (_, i) => 10_000 * (i + 1)), 173_385]);
});

test("the drawing is right", () => {
  const carry: StepPlan = { epochs: 2, microStepsPerEpoch: 3, accumulationSteps: 2, lastAccumulation: "carry" };
  const step: StepPlan = { ...carry, lastAccumulation: "step" };
  assert.deepEqual(
    stepsWhere(carry, (s) => endsOptimizerStep(carry, s)),
    [2, 4, 6],
  );
  assert.deepEqual(
    stepsWhere(step, (s) => endsOptimizerStep(step, s)),
    [2, 3, 5, 6],
  );
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((s) => epochOf(carry, s)),
    [1, 1, 1, 2, 2, 2],
  );
});

test("where an epoch's end takes a step, checkpoints wait for the end of an optimizer step", () => {
  const plan: StepPlan = { epochs: 2, microStepsPerEpoch: 5, accumulationSteps: 4, lastAccumulation: "step" };
  assert.deepEqual(
    stepsWhere(plan, (s) => endsOptimizerStep(plan, s)),
    [4, 5, 9, 10],
  );
  assert.deepEqual(
    stepsWhere(plan, (s) => isCheckpointDue(plan, 4, s)),
    [4, 9, 10],
  ); // 8 is inside of a step
});

test("for every plan: ends are counted once, checkpoints lie between optimizer steps or at the end, each multiple has one", () => {
  const plans = fc.record({
    epochs: fc.integer({ min: 1, max: 4 }),
    microStepsPerEpoch: fc.integer({ min: 1, max: 30 }),
    accumulationSteps: fc.integer({ min: 1, max: 9 }),
    lastAccumulation: fc.constantFrom("carry" as const, "step" as const),
  });
  fc.assert(
    fc.property(plans, fc.integer({ min: 1, max: 5 }), (plan, factor) => {
      const ends = stepsWhere(plan, (s) => endsOptimizerStep(plan, s));
      assert.equal(ends.length, totals(plan).optimizerSteps);
      for (const [i, end] of ends.entries()) assert.equal(optimizerStepsAfter(plan, end), i + 1);
      const interval = factor * plan.accumulationSteps;
      const last = totals(plan).microSteps;
      const due = stepsWhere(plan, (s) => isCheckpointDue(plan, interval, s));
      assert.equal(due.at(-1), last);
      assert.ok(due.every((s) => s === last || ends.includes(s)));
      for (let multiple = interval; multiple <= last; multiple += interval) {
        assert.ok(due.some((s) => s >= multiple && s < multiple + plan.accumulationSteps) || due.at(-1) === last);
      }
      if (plan.lastAccumulation === "carry") assert.ok(due.every((s) => s === last || s % interval === 0));
    }),
  );
});
