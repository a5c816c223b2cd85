import assert from "node:assert/strict";
import { test } from "node:test";
import { costs, exactness } from "./checkpoint.ts";
import type { ChildCheckpoint, ChildRun, ChildStep } from "./trainer-child.ts";

const step = (microStep: number, seconds: number, lossNats = microStep): ChildStep => ({
  microStep,
  lossNats,
  update: { gradientNorm: 1 },
  times: { totalMs: 1000 * seconds },
});

function saved(microStep: number, pauseSeconds: number, writeSeconds: number, digest = "d"): ChildCheckpoint {
  const state = { microStep } as ChildCheckpoint["state"];
  const part = (name: "model.safetensors" | "state.json", sha256: string) => ({
    name,
    blob: name,
    sizeBytes: 50,
    sha256,
  });
  return {
    state,
    parts: [part("model.safetensors", digest), part("state.json", `${Math.random()}`)],
    pauseSeconds,
    writeSeconds,
  };
}

test("a pause is no part of the step behind it, and steps count as disturbed until the checkpoint is durable", () => {
  const seconds = [9, 5, 4, 4, /* pause */ 1 + 6, 8, 4, 4]; // the first two trace; 5 and 6 are computed while it is written
  const found = costs({ steps: seconds.map((each, index) => step(index + 1, each)), checkpoints: [saved(4, 1, 7)] });
  assert.deepEqual(found, {
    step_seconds: 4,
    pause_seconds: 1,
    longest_pause_seconds: 1,
    pause_share_of_step: 0.25,
    write_seconds: 7,
    step_while_writing: 7 / 4,
    bytes: 100,
  });
});

const run = (steps: readonly ChildStep[], digest: string): ChildRun => ({
  steps,
  checkpoints: [saved(3, 0, 1, digest)],
  readySeconds: 1,
  firstStepSeconds: 2,
});
const whole = run([step(1, 1), step(2, 1), step(3, 1)], "same");

for (const [claim, resumed, isEqual] of [
  [
    "equal steps and equal bytes are a resume that is exact, whatever their times",
    run([step(2, 7), step(3, 8)], "same"),
    true,
  ],
  ["another loss is none", run([step(2, 1), step(3, 1, 3.0000001)], "same"), false],
  ["other weights are none", run([step(2, 1), step(3, 1)], "other"), false],
] as const) {
  test(claim, () => {
    const { steps, bit_equal } = exactness(whole, resumed);
    assert.deepEqual([steps, bit_equal], [2, isEqual]);
  });
}
