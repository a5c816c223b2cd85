/** Values of variables on their way out of the device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { DeviceState, trace } from "./index.ts";

const pair = { shape: [2], dtype: "float32" } as const;

test("a copy into shared memory has the values of its moment, whatever the variable becomes afterwards", () => {
  using state = new DeviceState({ weight: pair });
  state.set({ weight: Float32Array.of(1.5, -2) });
  const double = trace("double", ({ state: { weight } }) => ({ state: { weight: doubled(weight) }, outputs: {} }), {
    state,
    feeds: {},
  });
  const shared = new Float32Array(new SharedArrayBuffer(16), 8, 2); // not at the beginning of its memory
  state.copyTo({ weight: shared });
  double.run({});
  assert.deepEqual([...shared], [1.5, -2]);
  state.copyTo({ weight: shared });
  assert.deepEqual([...shared], [3, -4]);
});

test("a copy is refused before anything is copied: another length, another type, a name that is none, no value yet", () => {
  using state = new DeviceState({ weight: pair, unset: pair });
  state.set({ weight: Float32Array.of(1, 2) });
  const untouched = Float32Array.of(7, 7);
  assert.throws(() => state.copyTo({ weight: untouched, unset: new Float32Array(3) }), /unset must be float32\[2\]/);
  assert.throws(() => state.copyTo({ weight: untouched, unset: new Int32Array(2) }), TypeError);
  assert.throws(() => state.copyTo({ nothing: untouched }), /the state has no nothing/);
  assert.throws(() => state.copyTo({ unset: untouched }), /the variable unset has no value yet/);
  assert.deepEqual([...untouched], [7, 7]);
});

function doubled(tensor: tf.Tensor | undefined): tf.Tensor {
  assert.ok(tensor !== undefined);
  return tf.add(tensor, tensor);
}
