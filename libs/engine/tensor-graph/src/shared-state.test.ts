/** States that stand on another one: weights that many caches share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { DeviceState, TracedFunction, traceProgram } from "./index.ts";

const scalar = { shape: [], dtype: "float32" } as const;

test("one program over two states with one weight in common: each has its own sum, the weight outlives both", () => {
  using weights = new DeviceState({ weight: scalar });
  weights.set({ weight: Float32Array.of(10) });
  const states = [new DeviceState({ sum: scalar }, weights), new DeviceState({ sum: scalar }, weights)] as const;
  const program = traceProgram(
    "add_weight",
    ({ state: { weight, sum } }) => {
      assert.ok(weight !== undefined && sum !== undefined);
      return { state: { sum: tf.add(sum, weight) }, outputs: {} };
    },
    { state: states[0], feeds: {} },
  );
  for (const [index, state] of states.entries()) {
    state.set({ sum: Float32Array.of(index) });
    new TracedFunction(program, state).run({});
  }
  weights.set({ weight: Float32Array.of(100) });
  new TracedFunction(program, states[0]).run({});
  assert.deepEqual(
    states.map((state) => state.get(["sum"])["sum"]),
    [Float32Array.of(110), Float32Array.of(11)],
  );
  for (const state of states) state[Symbol.dispose]();
  assert.deepEqual(weights.get(), { weight: Float32Array.of(100) });
});

test("a name that both states have is refused", () => {
  using weights = new DeviceState({ weight: scalar });
  assert.throws(() => new DeviceState({ weight: scalar }, weights), /the shared state has a weight already/);
});
