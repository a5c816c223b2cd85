/** Tracing and running, as its users rely on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import { DeviceState, type NamedTensors, printed, trace, traceProgram } from "./index.ts";

const three = { shape: [3], dtype: "float32" } as const;

/** The tensor of that name; a name that is not there is a fault of the test. */
function of(tensors: NamedTensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  assert.ok(tensor !== undefined, name);
  return tensor;
}

test("gradient descent towards (1, 2, 3) halves the distance when the rate is a quarter", () => {
  using state = new DeviceState({ weight: three });
  const step = trace(
    "descent",
    ({ state: { weight }, feeds: { target } }) => {
      assert.ok(weight !== undefined && target !== undefined);
      const loss = (w: tf.Tensor) => tf.sum(tf.square(tf.sub(w, target))) as tf.Scalar;
      const { value, grads } = tf.valueAndGrads(loss)([weight]);
      const [gradient] = grads;
      assert.ok(gradient !== undefined);
      return { state: { weight: tf.sub(weight, tf.mul(gradient, 0.25)) }, outputs: { loss: value } };
    },
    { state, feeds: { target: three } },
  );
  state.set({ weight: new Float32Array(3) });
  const target = Float32Array.of(1, 2, 3);
  assert.deepEqual(step.run({ target }), { loss: Float32Array.of(14) });
  assert.deepEqual(step.run({ target }), { loss: Float32Array.of(3.5) });
  assert.deepEqual(state.get(), { weight: Float32Array.of(0.75, 1.5, 2.25) });
});

test("the program prints as text: a line for each operation, with shapes and the place that asked for it", () => {
  using state = new DeviceState({ weight: { shape: [2, 2], dtype: "float32" }, unused: three });
  const program = traceProgram(
    "linear",
    ({ state: given, feeds }) => {
      const product = tf.matMul(of(feeds, "x") as tf.Tensor2D, of(given, "weight") as tf.Tensor2D, false, true);
      return { state: { weight: tf.mul(of(given, "weight"), 0.5) }, outputs: { product } };
    },
    { state, feeds: { x: { shape: [3, 2], dtype: "float32" } } },
  );
  assert.equal(
    printed(program).replaceAll(/trace\.test\.ts:\d+/g, "here"),
    `%0 = feed x : float32[3, 2]
%1 = variable weight : float32[2, 2]
%3 = BatchMatMulV2(%0, %1) adj_x=false adj_y=true : float32[3, 2]    here
%4 = Const() value=[0.5] : float32[]    here
%5 = Mul(%1, %4) : float32[2, 2]    here
AssignVariableOp(%1, %5)    here
output product = %3
`,
  );
});

test("several functions share one state: what one assigns the next one reads", () => {
  using state = new DeviceState({ count: { shape: [], dtype: "int32" } });
  const feeds = {};
  const increment = trace(
    "increment",
    ({ state: given }) => ({ state: { count: tf.add(of(given, "count"), tf.scalar(1, "int32")) }, outputs: {} }),
    { state, feeds },
  );
  const double = trace(
    "double",
    ({ state: given }) => ({ state: { count: tf.mul(of(given, "count"), tf.scalar(2, "int32")) }, outputs: {} }),
    { state, feeds },
  );
  state.set({ count: Int32Array.of(3) });
  for (const next of [increment, double, increment]) next.run({});
  assert.deepEqual(state.get(["count"]), { count: Int32Array.of(9) });
});

test("a function reads the values from before it began, in whatever order it assigns: two variables swap", () => {
  using state = new DeviceState({ a: three, b: three });
  const swap = trace(
    "swap",
    ({ state: { a, b } }) => {
      assert.ok(a !== undefined && b !== undefined);
      return { state: { a: b, b: a }, outputs: { before: tf.sub(a, b), a } };
    },
    { state, feeds: {} },
  );
  state.set({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(10, 20, 30) });
  for (let run = 0; run < 50; run += 1) {
    const { a: before } = state.get(["a"]);
    assert.deepEqual(swap.run({})["a"], before, `run ${run}`);
  }
  assert.deepEqual(state.get(), { a: Float32Array.of(1, 2, 3), b: Float32Array.of(10, 20, 30) });
  assert.deepEqual(swap.run({})["before"], Float32Array.of(-9, -18, -27));
});

test("a variable that a function only replaces need not have a value before", () => {
  using state = new DeviceState({ weight: three, other: three });
  const fill = trace("fill", ({ feeds }) => ({ state: { weight: tf.mul(of(feeds, "x"), 2) }, outputs: {} }), {
    state,
    feeds: { x: three },
  });
  assert.deepEqual(fill.run({ x: Float32Array.of(1, 2, 3) }), {});
  assert.ok(state.isSet("weight") && !state.isSet("other"));
  assert.deepEqual(state.get(["weight"]), { weight: Float32Array.of(2, 4, 6) });
});

test("one program runs over several states, and each keeps its own", () => {
  using first = new DeviceState({ weight: three });
  using second = new DeviceState({ weight: three });
  const shift = (state: DeviceState) =>
    trace("shift", ({ state: given }) => ({ state: { weight: tf.add(of(given, "weight"), 1) }, outputs: {} }), {
      state,
      feeds: {},
    });
  const [one, other] = [shift(first), shift(second)];
  assert.equal(one.program.name, other.program.name);
  first.set({ weight: Float32Array.of(0, 0, 0) });
  second.set({ weight: Float32Array.of(5, 5, 5) });
  one.run({});
  assert.deepEqual(first.get(), { weight: Float32Array.of(1, 1, 1) });
  assert.deepEqual(second.get(), { weight: Float32Array.of(5, 5, 5) });
});

test("functions of one label that differ in a constant alone are two", () => {
  using state = new DeviceState({});
  const times = (factor: number) =>
    trace("times", ({ feeds }) => ({ outputs: { y: tf.mul(of(feeds, "x"), factor) } }), { state, feeds: { x: three } });
  const x = Float32Array.of(1, 2, 3);
  assert.deepEqual(times(2).run({ x }), { y: Float32Array.of(2, 4, 6) });
  assert.deepEqual(times(-2).run({ x }), { y: Float32Array.of(-2, -4, -6) });
});

test("feeds and outputs are float32, int32 and bool, of any rank, empty ones too", () => {
  using state = new DeviceState({});
  const feeds = { x: three, indices: { shape: [2], dtype: "int32" }, flag: { shape: [], dtype: "bool" } } as const;
  const typed = trace(
    "typed",
    ({ feeds: { x, indices, flag } }) => {
      assert.ok(x !== undefined && indices !== undefined && flag !== undefined);
      const outputs = { taken: tf.gather(x, indices as tf.Tensor1D), best: tf.argMax(x), not: tf.logicalNot(flag) };
      return { outputs: { ...outputs, none: tf.slice(x, [0], [0]), isTwo: tf.equal(x, 2) } };
    },
    { state, feeds },
  );
  assert.deepEqual(typed.run({ x: Float32Array.of(3, 1, 2), indices: Int32Array.of(2, 0), flag: Uint8Array.of(1) }), {
    taken: Float32Array.of(2, 3),
    best: Int32Array.of(0),
    not: Uint8Array.of(0),
    none: new Float32Array(0),
    isTwo: Uint8Array.of(0, 0, 1),
  });
});

test("a fed tensor that is returned as it is comes out as it went in", () => {
  using state = new DeviceState({});
  const same = trace("same", ({ feeds }) => ({ outputs: { ...feeds } }), { state, feeds: { x: three } });
  assert.deepEqual(same.run({ x: Float32Array.of(1, -0, Number.NaN) }), { x: Float32Array.of(1, -0, Number.NaN) });
});

test("the same run gives the same bits", () => {
  using state = new DeviceState({ weight: { shape: [96, 96], dtype: "float32" } });
  const weight = Float32Array.from({ length: 96 * 96 }, (_, index) => Math.sin(index * index) / 10);
  const step = trace(
    "bits",
    ({ state: given }) => {
      const loss = (w: tf.Tensor) =>
        tf.mean(tf.square(tf.softmax(tf.matMul(w as tf.Tensor2D, w as tf.Tensor2D)))) as tf.Scalar;
      const { value, grads } = tf.valueAndGrads(loss)([of(given, "weight")]);
      const [gradient] = grads;
      assert.ok(gradient !== undefined);
      return { state: { weight: tf.sub(of(given, "weight"), gradient) }, outputs: { loss: value } };
    },
    { state, feeds: {} },
  );
  const results = [0, 1].map(() => {
    state.set({ weight });
    const losses = Array.from({ length: 20 }, () => step.run({})["loss"]);
    return { losses, ...state.get() };
  });
  assert.deepEqual(results[0], results[1]);
});

test("what was there before a trace is there after it: tfjs's backend, its tensors and their number", () => {
  const outside = tf.tensor1d([1, 2, 3]);
  const { numTensors } = tf.memory();
  using state = new DeviceState({ weight: three });
  traceProgram("left", ({ state: given }) => ({ outputs: { y: tf.exp(of(given, "weight")) } }), { state, feeds: {} });
  assert.equal(tf.getBackend(), "tensorflow");
  assert.equal(tf.memory().numTensors, numTensors);
  assert.deepEqual(tf.add(outside, 1).dataSync(), Float32Array.of(2, 3, 4));
});
