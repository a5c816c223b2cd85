/** What goes wrong says which operation, and where in its author's code: `(trace-errors.test.ts:28)`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import { DeviceState, loadOperations, type Traceable, TraceError, trace, traceProgram } from "./index.ts";

const three = { shape: [3], dtype: "float32" } as const;

/** Traces a function of the feed x, and of the state w. */
function traced(make: (x: tf.Tensor, w: tf.Tensor) => ReturnType<Traceable>) {
  const specs = { w: three };
  return traceProgram(
    "faulty",
    ({ state: { w }, feeds: { x } }) => {
      assert.ok(x !== undefined && w !== undefined);
      return make(x, w);
    },
    { state: { specs }, feeds: { x: three } },
  );
}

const outside = tf.tensor1d([1, 2, 3]);
let kept = outside;
traced((x) => ({ outputs: { y: (kept = tf.keep(tf.add(x, 1)) as tf.Tensor1D) } }));
let disposed = outside;
traced((x) => ({ outputs: { y: (disposed = tf.add(x, 1)) } }));

const faults: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  "a value that is read while tracing": [
    () => traced((x) => ({ outputs: { y: tf.mul(x, tf.exp(x).dataSync()[0] ?? 0) } })),
    /the value of a tensor \(made by Exp\) is read while tracing/,
  ],
  "the value of a feed": [
    () => traced((x) => ({ outputs: { y: tf.mul(x, x.arraySync() as number[]) } })),
    /the value of a tensor \(made by feed x\) is read while tracing/,
  ],
  "an operation that has no kernel": [
    () => traced((x) => ({ outputs: { y: tf.engine().runKernel("Elsewhere", { x }) as tf.Tensor } })),
    /Kernel 'Elsewhere' not registered for backend 'trace'/,
  ],
  "shapes that do not fit": [
    () => traced((x) => ({ outputs: { y: tf.add(x, tf.zeros([2])) } })),
    /Add: Dimensions must be equal, but are 3 and 2 .* with input shapes: \[3\], \[2\]/,
  ],
  "shapes that tfjs itself refuses": [
    () => traced((x) => ({ outputs: { y: tf.dot(x, tf.zeros([2])) } })),
    /Error in dot: inner dimensions of inputs must match, but got 3 and 2/,
  ],
  "a shape that depends on values": [
    () => traced((x) => ({ outputs: { y: tf.unique(x).values } })),
    /UniqueV2: the shape of its result depends on values/,
  ],
  "a tensor from outside": [
    () => traced((x) => ({ outputs: { y: tf.add(x, outside) } })),
    /a tensor that was computed before the trace \(float32\[3\]\) is used; pass it as state or as a feed/,
  ],
  "a tensor that was kept from an earlier trace": [
    () => traced((x) => ({ outputs: { y: tf.add(x, kept) } })),
    /a tensor of another trace is used; a trace sees only its own/,
  ],
  "a tensor that ended with its trace": [
    () => traced((x) => ({ outputs: { y: tf.add(x, disposed) } })),
    /a tensor that was disposed of is used; one that was made in a trace ends with it/,
  ],
  "a tensor of a trace that is used after it": [() => tf.add(kept, 1), /a tensor of a trace is used after its end/],
  "a variable that is given another shape": [
    () => traced((x) => ({ state: { w: tf.sum(x) }, outputs: {} })),
    /the variable w is float32\[3\], and is given float32\[\]/,
  ],
  "a variable that is given another type": [
    () => traced((x) => ({ state: { w: tf.cast(x, "int32") }, outputs: {} })),
    /the variable w is float32\[3\], and is given int32\[3\]/,
  ],
  "a variable that the state does not have": [
    () => traced((x) => ({ state: { v: x }, outputs: {} })),
    /v is given a value, but the state has no such variable/,
  ],
  "a trace within a trace": [
    () => {
      const inner = () => traced(() => ({ outputs: {} })).outputs;
      traced((x) => ({ outputs: { y: x }, inner: inner() }));
    },
    /a trace has begun inside of another one/,
  ],
};

for (const [fault, [attempt, message]] of Object.entries(faults)) {
  test(`${fault}: an error that says so, with the place`, () => {
    assert.throws(attempt, (error) => {
      assert.ok(error instanceof TraceError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /\(trace-errors\.test\.ts:\d+\)$/);
      return true;
    });
  });
}

test("the place is the line of the operation, and not of the trace", () => {
  const here = Number(/:(\d+):\d+\)?$/.exec(new Error().stack?.split("\n")[1] ?? "")?.[1]);
  const fault = (x: tf.Tensor) => tf.reshape(x, [2, 2]);
  assert.throws(() => traced((x) => ({ outputs: { y: fault(x) } })), {
    message: new RegExp(`^Reshape: .*\\(trace-errors\\.test\\.ts:${here + 1}\\)$`),
  });
});

test("an operation of a gradient that fails has the place that asked for the gradient", () => {
  const square = tf.customGrad((x) => {
    return {
      value: tf.square(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.matMul(dy as tf.Tensor2D, dy as tf.Tensor2D),
    };
  });
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(square(x)));
  assert.throws(() => traced((x) => ({ outputs: { y: gradient(x) } })), {
    name: "TraceError",
    message: /\(trace-errors\.test\.ts:\d+\)$/,
  });
});

test("an error of the function's own comes out as it is, and the next trace works", () => {
  const own = new RangeError("my own");
  assert.throws(
    () => {
      traced(() => {
        throw own;
      });
    },
    (error) => error === own,
  );
  assert.equal(tf.getBackend(), "tensorflow");
  assert.equal(traced((x) => ({ outputs: { y: tf.neg(x) } })).operations.length, 1);
});

test("feeds that are missing, unknown, of another length or type are refused by name", () => {
  using state = new DeviceState({});
  const feeds = { x: three, count: { shape: [], dtype: "int32" } } as const;
  const sum = trace("sum", ({ feeds: { x } }) => ({ outputs: { y: tf.sum(x ?? outside) } }), { state, feeds });
  const x = Float32Array.of(1, 2, 3);
  const count = Int32Array.of(1);
  assert.throws(() => sum.run({ x }), { name: "TypeError", message: "the feed count is missing, int32[]" });
  assert.throws(() => sum.run({ x, count, z: x }), { message: "there is no feed z; there is x, count" });
  assert.throws(() => sum.run({ x: x.subarray(1), count }), {
    message: "the feed x must be float32[3], 3 elements in a Float32Array; it is a Float32Array of 2 elements",
  });
  assert.throws(() => sum.run({ x, count: Float32Array.of(1) }), {
    message: "the feed count must be int32[], 1 elements in a Int32Array; it is a Float32Array of 1 elements",
  });
  assert.deepEqual(sum.run({ x, count }), { y: Float32Array.of(6) });
});

test("a run that fails names the operation and its place, leaves the variables, and the next run works", () => {
  using state = new DeviceState({ last: { shape: [2], dtype: "float32" } });
  state.set({ last: Float32Array.of(7, 8) });
  const pick = trace(
    "pick",
    ({ feeds: { indices } }) => {
      assert.ok(indices !== undefined);
      const picked = tf.gather(tf.tensor1d([10, 20, 30]), indices as tf.Tensor1D);
      return { state: { last: picked }, outputs: { picked } };
    },
    { state, feeds: { indices: { shape: [2], dtype: "int32" } } },
  );
  assert.throws(() => pick.run({ indices: Int32Array.of(0, 3) }), {
    message: /^pick_[0-9a-f]{16}: GatherV2 \(trace-errors\.test\.ts:\d+\): .*indices\[1\] = 3 is not in \[0, 3\)/,
  });
  assert.deepEqual(state.get(), { last: Float32Array.of(7, 8) });
  assert.deepEqual(pick.run({ indices: Int32Array.of(0, 2) }), { picked: Float32Array.of(10, 30) });
});

test("a variable that was never set is an error by name, and works once it is set", () => {
  using state = new DeviceState({ w: three, other: three });
  const negative = trace("negative", ({ state: { w } }) => ({ outputs: { y: tf.neg(w ?? outside) } }), {
    state,
    feeds: {},
  });
  assert.throws(() => negative.run({}), { message: /^negative_[0-9a-f]{16} reads what was never set: w$/ });
  assert.throws(() => state.get(["w"]), { message: "the variable w has no value yet" });
  state.set({ w: Float32Array.of(1, 2, 3) });
  assert.deepEqual(negative.run({}), { y: Float32Array.of(-1, -2, -3) });
});

test("a state says what it does not have, and sets all or nothing", () => {
  using state = new DeviceState({ w: three, v: three });
  const w = Float32Array.of(1, 2, 3);
  assert.throws(() => state.get(["u"]), { name: "RangeError", message: "the state has no u" });
  assert.throws(() => state.set({ w, u: w }), { name: "RangeError", message: "the state has no u" });
  assert.throws(() => state.set({ w, v: w.subarray(1) }), { name: "TypeError", message: /^v must be float32\[3\]/ });
  assert.equal(state.isSet("w"), false);
});

test("a state that was disposed of says so, to its reader and to the functions over it", () => {
  const state = new DeviceState({ w: three });
  state.set({ w: Float32Array.of(1, 2, 3) });
  const negative = trace("negative", ({ state: { w } }) => ({ outputs: { y: tf.neg(w ?? outside) } }), {
    state,
    feeds: {},
  });
  negative.run({});
  state[Symbol.dispose]();
  state[Symbol.dispose](); // a second time does nothing
  assert.throws(() => state.get(), { message: "the state of w has been disposed of" });
  assert.throws(() => negative.run({}), { message: "the state of w has been disposed of" });
});

test("a library of operations that is not there is an error with its path", () => {
  assert.throws(() => loadOperations("/nowhere/operations.so"), { message: /\/nowhere\/operations\.so/ });
});
