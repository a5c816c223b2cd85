/** Which steps there are, whose they are, and what an explanation may begin from. The numbers themselves: explaining.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { SealedCheckpoint } from "@pretrain/checkpoint";
import { NotFound } from "@pretrain/errors";
import { ExperimentRecordSchema, OriginSchema, Experiment_State as State } from "@pretrain/proto";
import { experimentOf } from "../experiment/record.ts";
import { countingAttempts } from "./counting-attempts.ts";
import { expectComputed, pastStep, reached, usableCheckpoints } from "./explained-step.ts";
import { explanationHolder, isForgottenHolder } from "./explanation-holds.ts";

/** 5 micro-steps an epoch, carried over in accumulations of 2: optimizer steps end behind 2, 4, 6, … 14, and 15 is left over. */
const plan = { epochs: 3, microStepsPerEpoch: 5, accumulationSteps: 2, lastAccumulation: "carry" } as const;

function checkpointAt(microStep: number, recipeSha256 = "a"): SealedCheckpoint {
  return { manifest: { microStep, recipeSha256 }, manifestSha256: "" } as unknown as SealedCheckpoint;
}

function recordAt(microStep: number, state: State, attempts: readonly (readonly [number, State])[] = []) {
  return create(ExperimentRecordSchema, {
    experiment: { name: "experiments/a", state, progress: { microStep: BigInt(microStep) } },
    transitions: attempts.map(([attempt, to]) => ({ attempt, to })),
  });
}

for (const [claim, from, to, attempts] of [
  ["all by the one that began before", 0, 3, [1]],
  ["computed again by a later one", 4, 10, [2, 1]],
  ["up to where the next one begins, whoever came then", 8, 12, [2]],
  ["behind that, by the next one", 12, 13, [3]],
  ["over all of them", 0, 15, [3, 2, 1]],
] as const) {
  test(`steps behind ${from} up to ${to}: ${claim}`, () => {
    const claims = [
      { attempt: 3, resumesFrom: 12 },
      { attempt: 2, resumesFrom: 8 },
      { attempt: 1, resumesFrom: 0 },
    ];
    assert.deepEqual(countingAttempts(claims, from, to), attempts);
  });
}

test("an attempt that ended before it trained has computed nothing: the last one that trained counts", () => {
  const prepared = recordAt(7, State.PAUSED, [
    [1, State.RUNNING],
    [1, State.INTERRUPTED],
    [2, State.PREPARING],
  ]);
  assert.deepEqual(reached(prepared, { checkpoints: [checkpointAt(4)] }), {
    attempt: 1,
    microStep: 7,
    endedByNext: false,
  });
  const killed = recordAt(3, State.RUNNING, [[1, State.RUNNING]]);
  assert.deepEqual(reached(killed, { checkpoints: [checkpointAt(4)] }), {
    attempt: 1,
    microStep: 4,
    endedByNext: false,
  }); // a checkpoint knows better
});

test("a step that its run has not reached is not found; nor is one that a fork's parent computed, which is named", () => {
  const experiment = experimentOf(recordAt(9, State.RUNNING));
  const done = { attempt: 1, microStep: 9, endedByNext: false };
  expectComputed(experiment, done, 9);
  assert.throws(() => expectComputed(experiment, done, 10), NotFound);
  expectComputed(experiment, { ...done, endedByNext: true }, 10); // it was no number, which is what one wants explained
  assert.throws(() => expectComputed(experiment, { ...done, endedByNext: true }, 11), NotFound);
  const origin = create(OriginSchema, { checkpoint: "experiments/parent/checkpoints/4", microStep: 4n });
  const fork = { ...experiment, origin };
  expectComputed(fork, done, 5);
  assert.throws(
    () => expectComputed(fork, done, 4),
    (error) => {
      return error instanceof NotFound && error.metadata["parent"] === "experiments/parent";
    },
  );
});

for (const [claim, state, done, microStep, expected] of [
  ["the first of an accumulation goes to its end", State.RUNNING, 9, 5, { begin: 4, end: 6, last: 6 }],
  ["the last of one ends itself", State.RUNNING, 9, 6, { begin: 4, end: 6, last: 6 }],
  ["one that will be whole is computed whole", State.PAUSED, 9, 9, { begin: 8, end: 10, last: 10 }],
  ["of a run that ended inside it, only itself", State.CANCELLED, 9, 9, { begin: 8, end: 10, last: 9 }],
  ["what the plan leaves over has no end", State.COMPLETED, 15, 15, { begin: 14, end: undefined, last: 15 }],
] as const) {
  test(`a step and its optimizer step: ${claim}`, () => {
    const experiment = experimentOf(recordAt(done, state));
    assert.deepEqual(pastStep(plan, experiment, { attempt: 1, microStep: done, endedByNext: false }, microStep), {
      microStep,
      ...expected,
    });
  });
}

test("a checkpoint can be begun from when it is of the recipe, not behind the optimizer step, and between two of them", () => {
  const checkpoints = [0, 4, 8, 15]
    .map((microStep) => checkpointAt(microStep))
    .concat(checkpointAt(6, "another recipe"));
  const usable = (begin: number) =>
    usableCheckpoints({ checkpoints }, plan, "a", begin).map(({ manifest }) => manifest.microStep);
  assert.deepEqual([usable(2), usable(6), usable(8), usable(20)], [[0], [0, 4], [0, 4, 8], [0, 4, 8]]);
});

test("a hold that was left by one who was killed is nobody's after a day, and no other hold is taken for one", () => {
  const made = new Date(Date.UTC(2026, 0, 1));
  const later = (hours: number) => new Date(made.getTime() + hours * 3_600_000);
  const holder = explanationHolder(made);
  assert.deepEqual(
    [1, 24, 25].map((hours) => isForgottenHolder(holder, later(hours))),
    [false, false, true],
  );
  assert.notEqual(explanationHolder(made), holder); // two may hold one checkpoint
  for (const other of ["fork-explanation-1", "attempt-1-n", "evaluation-1", "explanation-", "explanation-x-1"])
    assert.equal(isForgottenHolder(other, later(1e6)), false, other);
});
