import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Experiment_State, ExperimentSchema } from "@pretrain/proto";
import { duration } from "../terminal/figures.ts";
import { progressLine } from "./progress-line.ts";

const running = create(ExperimentSchema, {
  state: Experiment_State.RUNNING,
  progress: {
    microStep: 25n,
    totalMicroSteps: 100n,
    epoch: 1,
    epochs: 3,
    lossNatsPerToken: 4.56789,
    tokensPerSecond: 1234.6,
    remainingSeconds: 75,
  },
});

test("a plain line names each figure, in a fixed order", () => {
  assert.equal(progressLine(running, 0), "running step: 25/100 epoch: 1/3 loss: 4.5679 tokens/s: 1235 left: 1m15s");
});

test("a terminal's line has a bar of the share done and never wraps", () => {
  assert.match(progressLine(running, 200), /^running \[█{6}░{18}\] step: 25\/100/);
  assert.equal(progressLine(running, 20).length, 19);
});

test("before the first step only the state is known", () => {
  const queued = create(ExperimentSchema, { state: Experiment_State.QUEUED, message: "waits for a worker" });
  assert.equal(progressLine(queued, 0), "queued waits for a worker");
});

test("an estimate of the time left goes when the experiment has ended", () => {
  const ended = { ...running, state: Experiment_State.COMPLETED };
  assert.equal(progressLine(ended, 0), "completed step: 25/100 epoch: 1/3 loss: 4.5679 tokens/s: 1235");
});

test("durations are short and never negative", () => {
  assert.deepEqual([-1, 59.6, 61, 3600, 42_180].map(duration), ["0s", "1m00s", "1m01s", "1h00m", "11h43m"]);
});
