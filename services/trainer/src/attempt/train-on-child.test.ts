/** When the silence of the process that computes means something. The whole way of a training: training.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Batch, Step } from "../worker/protocol.ts";
import type { ComputingProcess, Said } from "./computing-process.ts";
import type { Patience } from "./silence.ts";
import { type TrainingOnChild, trainOnChild } from "./train-on-child.ts";
import { Wishes } from "./wishes.ts";

const plan = { epochs: 1, microStepsPerEpoch: 9, accumulationSteps: 1, lastAccumulation: "carry" } as const;
const batch = {
  microStep: 1,
  epoch: 1,
  tokens: new Uint16Array(),
  lengths: new Int32Array(),
  next: { epoch: 1, row: 0 },
};
const stepOf = (microStep: number, totalMs: number) => ({ kind: "step", microStep, times: { totalMs } }) as Said & Step;

/** A training whose leave to write, batches and steps come when the test says so. */
function trainingByHand() {
  const wanted: (() => Patience | undefined)[] = [];
  let heard = Promise.withResolvers<Said>();
  const leave = { pending: Promise.withResolvers<void>() };
  const child: Pick<ComputingProcess, "next" | "send" | "interrupt"> = {
    next: (patience) => {
      wanted.push(patience);
      return heard.promise;
    },
    send: async () => undefined,
    interrupt: (failure) => heard.reject(failure),
  };
  async function* batches(): AsyncGenerator<Batch> {
    for (;;) yield batch;
  }
  const training: Partial<Record<keyof TrainingOnChild, unknown>> = {
    child,
    plan,
    startMicroStep: 0,
    profileInterval: 0,
    batches,
    wishes: new Wishes(),
    right: { check: () => leave.pending.promise },
    outbox: { roomy: async () => undefined },
    events: { stepDone: () => undefined },
    onStep: () => undefined,
  };
  const ended = trainOnChild(training as unknown as TrainingOnChild);
  return {
    ended,
    end: () => heard.reject(new Error("enough")),
    patience: () => wanted.at(-1)?.(),
    allow: async () => {
      leave.pending.resolve();
      await turn();
    },
    say: async (step: Said) => {
      const { resolve } = heard;
      heard = Promise.withResolvers();
      resolve(step);
      await turn();
    },
  };
}

test("a child that has no batch may be silent for ever, also while one waits for leave to be computed", async () => {
  const { ended, end, patience, allow } = trainingByHand();
  await turn();
  assert.equal(patience(), undefined);
  await allow();
  assert.deepEqual(patience(), { restingMs: 120_000, busyMs: 3_600_000 }); // the first step: nobody knows how long it takes
  end();
  await assert.rejects(ended, /enough/);
});

test("a step may take three times as long as the slowest so far and ten seconds, not counting the first one", async () => {
  const { ended, end, patience, allow, say } = trainingByHand();
  await allow();
  await say(stepOf(1, 90_000)); // traced
  assert.deepEqual(patience(), { restingMs: 120_000, busyMs: 3_600_000 });
  await say(stepOf(2, 4_000));
  await say(stepOf(3, 3_000));
  assert.deepEqual(patience(), { restingMs: 22_000, busyMs: 120_000 });
  await say(stepOf(4, 30_000));
  assert.deepEqual(patience(), { restingMs: 100_000, busyMs: 300_000 });
  end();
  await assert.rejects(ended, /enough/);
});
