/**
 * What TensorFlow really executes. A gradient may compute again what it does not want stored; TensorFlow's optimizer would merge the
 * two computations, which the kernel `After` prevents.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import { DeviceState, type ExecutedOperation, type TracedFunction, trace } from "./index.ts";

function after(x: tf.Tensor, other: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel("After", { x, other }) as tf.Tensor;
}

const vector = { shape: [1000], dtype: "float32" } as const;
const x = Float32Array.from({ length: 1000 }, (_, index) => Math.sin(index));

function tracedOver(state: DeviceState, make: (fed: tf.Tensor) => Record<string, tf.Tensor>): TracedFunction {
  return trace("recompute", ({ feeds: { x: fed } }) => ({ outputs: fed === undefined ? {} : make(fed) }), {
    state,
    feeds: { x: vector },
  });
}

function count(executed: readonly ExecutedOperation[], operation: string): number {
  return executed.filter((one) => one.operation === operation).reduce((sum, one) => sum + one.count, 0);
}

test("the same computation twice is executed once", () => {
  using state = new DeviceState({});
  const twice = tracedOver(state, (fed) => ({ y: tf.erf(fed), z: tf.neg(tf.erf(fed)) }));
  assert.equal(twice.program.operations.filter(({ operation }) => operation === "Erf").length, 2);
  assert.equal(count(twice.profile({ x }), "Erf"), 1);
});

test("behind After it is executed again, with the same numbers", () => {
  using state = new DeviceState({});
  const twice = tracedOver(state, (fed) => {
    const y = tf.erf(fed);
    return { y, z: tf.erf(after(fed, tf.sum(y))) };
  });
  assert.equal(count(twice.profile({ x }), "Erf"), 2);
  const { y, z } = twice.run({ x });
  assert.deepEqual(y, z);
});

test("it is not executed early: what After waits for is an input of it, also in the lower precision and under XLA", () => {
  using state = new DeviceState({});
  const make = (fed: tf.Tensor) => {
    const y = tf.erf(fed);
    return { z: tf.sub(tf.erf(after(fed, tf.sum(y))), y) };
  };
  for (const options of [{ precision: "bfloat16" }, { xla: true }] as const) {
    const feeds = { x: vector };
    const waiting = trace("wait", ({ feeds: { x: fed } }) => ({ outputs: make(fed as tf.Tensor) }), {
      state,
      feeds,
      ...options,
    });
    assert.match(String(waiting), /= Sum\(%1, %2\).*\n%4 = After\(%0, %3\).*\n%5 = Erf\(%4\)/);
    assert.deepEqual(waiting.run({ x })["z"], new Float32Array(1000));
  }
});

/** tanh(erf(x)), whose gradient needs erf(x): stored until then, or computed again. */
function tanhOfErf(x: tf.Tensor, recomputes: boolean): tf.Tensor {
  return tf.customGrad((given, save) => {
    const input = given as tf.Tensor;
    const erf = tf.erf(input);
    (save as tf.GradSaveFunc)([input, erf]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [input, erf] = saved;
      assert.ok(input !== undefined && erf !== undefined);
      const again = recomputes ? tf.erf(after(input, dy)) : erf;
      const ofTanh = tf.sub(1, tf.square(tf.tanh(again)));
      const ofErf = tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(input))));
      return tf.mul(dy, tf.mul(ofTanh, ofErf));
    };
    return { value: tf.tanh(erf), gradFunc };
  })(x);
}

test("a gradient that recomputes executes the forward operation again, and is the gradient", () => {
  const gradient = (recomputes: boolean) => (fed: tf.Tensor) => ({
    gradient: tf.grad((input: tf.Tensor) => tf.sum(tf.square(tanhOfErf(input, recomputes))))(fed),
  });
  using state = new DeviceState({});
  const stored = tracedOver(state, gradient(false));
  const again = tracedOver(state, gradient(true));
  assert.deepEqual(again.run({ x }), stored.run({ x }));
  assert.equal(count(stored.profile({ x }), "Erf"), 1);
  assert.equal(count(again.profile({ x }), "Erf"), 2);
});

test("a profile has each operation with its place, count and time, and leaves the state as it is", () => {
  using state = new DeviceState({ total: { shape: [256, 256], dtype: "float32" }, only: vector });
  const total = Float32Array.from({ length: 256 * 256 }, (_, index) => Math.cos(index));
  state.set({ total });
  const step = trace(
    "profiled",
    ({ state: given, feeds: { x: fed } }) => {
      const product = (y: tf.Tensor) => tf.matMul(y as tf.Tensor2D, given["total"] as tf.Tensor2D);
      const next = product(tf.tanh(product(given["total"] as tf.Tensor)));
      return { state: { total: next, only: tf.neg(fed ?? next) }, outputs: { sum: tf.sum(next) } };
    },
    { state, feeds: { x: vector } },
  );
  const executed = step.profile({ x });
  const products = executed.filter(({ operation }) => operation.includes("BatchMatMul"));
  assert.equal(products.length, 1);
  assert.equal(products[0]?.count, 2);
  assert.match(products[0]?.place ?? "", /^recomputation\.test\.ts:\d+$/);
  assert.ok((products[0]?.milliseconds ?? 0) > 0.01, "two products of 256 x 256 take more than 10 µs");
  const times = executed.map(({ milliseconds }) => milliseconds);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
  assert.deepEqual(state.get(["total"]), { total });
  assert.equal(state.isSet("only"), false);
});

test("a profile wants the feeds and values that a run wants", () => {
  using state = new DeviceState({ w: vector });
  const sum = trace("sum", ({ state: { w }, feeds: { x: fed } }) => ({ outputs: { y: tf.add(w ?? 0, fed ?? 0) } }), {
    state,
    feeds: { x: vector },
  });
  assert.throws(() => sum.profile({}), { message: "the feed x is missing, float32[1000]" });
  assert.throws(() => sum.profile({ x }), { message: /^sum_[0-9a-f]{16} reads what was never set: w$/ });
});
