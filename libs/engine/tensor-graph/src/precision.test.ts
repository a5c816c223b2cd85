/** What a bfloat16 trace computes in bfloat16, and what it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import { DeviceState, declarePlacements, type Elements, type Program, printed, trace, traceProgram } from "./index.ts";

const square = { shape: [8, 8], dtype: "float32" } as const;

type Given = { readonly x: tf.Tensor2D; readonly w: tf.Tensor2D };

function lowered(make: (given: Given) => Record<string, tf.Tensor>, state: Record<string, tf.Tensor> = {}): Program {
  return traceProgram(
    "lowered",
    ({ state: { w }, feeds: { x } }) => ({
      state,
      outputs: make({ x: x as tf.Tensor2D, w: w as tf.Tensor2D }),
    }),
    { state: { specs: { w: square } }, feeds: { x: square }, precision: "bfloat16" },
  );
}

/** `BatchMatMulV2 bfloat16` for each operation but constants, in order. */
function types({ operations }: Program): string[] {
  return operations
    .filter(({ operation }) => operation !== "Const")
    .map(({ operation, outputs }) => [operation, ...outputs.map(({ dtype }) => dtype)].join(" "));
}

test("a product computes in bfloat16, and what leaves the function is float32", () => {
  const program = lowered(({ x, w }) => ({ y: tf.matMul(x, w) }));
  assert.equal(
    printed(program).replaceAll(/ {4}precision\.test\.ts:\d+/g, ""),
    `%0 = feed x : float32[8, 8]
%1 = variable w : float32[8, 8]
%2 = Cast(%0) : bfloat16[8, 8]
%3 = Cast(%1) : bfloat16[8, 8]
%4 = BatchMatMulV2(%2, %3) adj_x=false adj_y=false : bfloat16[8, 8]
%5 = Cast(%4) : float32[8, 8]
output y = %5
`,
  );
});

test("a weight is cast once, however many products of both directions it is in", () => {
  const program = lowered(({ x, w }) => {
    const loss = (input: tf.Tensor) => {
      const hidden = tf.matMul(tf.matMul(input as tf.Tensor2D, w), w);
      return tf.sum(hidden) as tf.Scalar;
    };
    return { gradient: tf.grad(loss)(x) };
  });
  const weight = program.variables["w"]?.value;
  const casts = program.operations.filter(({ operation, inputs }) => operation === "Cast" && inputs[0] === weight);
  assert.equal(casts.length, 1);
  assert.equal(types(program).filter((line) => line === "BatchMatMulV2 bfloat16").length, 4); // two there, two back
});

test("sums, means, softmax, exponentials and losses are float32, also of a product", () => {
  const program = lowered(({ x, w }) => {
    const y = tf.matMul(x, w);
    const parts = { sum: tf.sum(y), mean: tf.mean(y), softmax: tf.softmax(y), all: tf.logSumExp(y, 1) };
    return { ...parts, norm: tf.rsqrt(tf.square(y)), added: tf.add(y, x) };
  });
  const [, , , ...others] = types(program);
  assert.deepEqual([...new Set(others.map((line) => line.split(" ")[1]))], ["float32"]);
  assert.equal(others.filter((line) => line.startsWith("Cast")).length >= 1, true);
});

test("what only moves elements keeps bfloat16 between two products, without a cast", () => {
  const moves: Record<string, (y: tf.Tensor2D) => tf.Tensor2D> = {
    Reshape: (y) => tf.reshape(tf.reshape(y, [2, 4, 8]), [8, 8]),
    Transpose: (y) => tf.transpose(y),
    Slice: (y) => tf.slice(y, [0, 0], [8, 8]),
    ConcatV2: (y) => tf.slice(tf.concat([y, y], 0), [4, 0], [8, 8]),
    SplitV: (y) => tf.concat(tf.split(y, 2, 1) as tf.Tensor2D[], 1),
    Pack: (y) => tf.unstack(tf.stack([y, y]))[1] as tf.Tensor2D,
    Tile: (y) => tf.slice(tf.tile(y, [2, 1]), [1, 0], [8, 8]),
    ReverseV2: (y) => tf.reverse(y, 0),
    ExpandDims: (y) => tf.squeeze(tf.expandDims(y, 0), [0]),
  };
  for (const [operation, move] of Object.entries(moves)) {
    const [, , , ...others] = types(lowered(({ x, w }) => ({ y: tf.matMul(move(tf.matMul(x, w)), w) })));
    assert.ok(
      others.some((line) => line.startsWith(`${operation} bfloat16`)),
      `${operation}: ${others.join(", ")}`,
    );
    assert.deepEqual(others.slice(-2), ["BatchMatMulV2 bfloat16", "Cast float32"], operation);
    assert.equal(others.filter((line) => line.startsWith("Cast")).length, 1, `${operation}: ${others.join(", ")}`);
  }
});

test("After hands bfloat16 on as it is, whatever the type of what it waits for", () => {
  const program = lowered(({ x, w }) => {
    const y = tf.matMul(x, w);
    const after = (other: tf.Tensor) => tf.engine().runKernel("After", { x: y, other }) as tf.Tensor2D;
    return { a: tf.matMul(after(x), w), b: tf.matMul(after(y), w) };
  });
  const [, , , ...others] = types(program);
  const both = ["After bfloat16", "BatchMatMulV2 bfloat16", "After bfloat16", "BatchMatMulV2 bfloat16"];
  assert.deepEqual(others, [...both, "Cast float32", "Cast float32"]);
});

test("a list that holds one float32 is float32 as a whole: nothing loses digits by standing beside another", () => {
  const program = lowered(({ x, w }) => ({ y: tf.concat([tf.matMul(x, w), x], 0) }));
  assert.deepEqual(types(program).slice(-2), ["Cast float32", "ConcatV2 float32"]);
});

test("integers are never touched: gathered rows, counted products", () => {
  const program = lowered(({ x }) => {
    const rows = tf.tensor1d([1, 0], "int32");
    const counted = tf.reshape(tf.concat([rows, rows]), [2, 2]) as tf.Tensor2D;
    return { rows: tf.gather(x, rows), counted: tf.matMul(counted, counted) };
  });
  assert.ok(types(program).includes("GatherV2 float32"));
  assert.ok(types(program).includes("BatchMatMulV2 int32"));
  assert.ok(!printed(program).includes("bfloat16"));
});

test("an operation of one's own takes part as declared, and its inputs of a fixed type stay as they are", () => {
  const program = () => lowered(({ x, w }) => ({ y: tf.softmax(tf.matMul(x, w)) }));
  assert.ok(types(program()).includes("Softmax float32"));
  declarePlacements({ Softmax: "keep" });
  assert.ok(types(program()).includes("Softmax bfloat16"));
  declarePlacements({ Softmax: "float32" });
  assert.ok(types(program()).includes("Softmax float32"));
});

test("bfloat16 has eight binary digits: 1 + 1/256 times 1 is 1, and the state keeps what it was given", () => {
  using state = new DeviceState({ w: { shape: [1, 1], dtype: "float32" } });
  const specs = { x: { shape: [1, 1], dtype: "float32" } } as const;
  const product = (precision: "float32" | "bfloat16") =>
    trace(
      "product",
      ({ state: { w }, feeds: { x } }) => ({
        state: { w: tf.mul(w ?? 0, 1) },
        outputs: { y: tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D) },
      }),
      { state, feeds: specs, precision },
    );
  const weight = Float32Array.of(1 + 1 / 256);
  state.set({ w: weight });
  assert.deepEqual(product("bfloat16").run({ x: Float32Array.of(1) }), { y: Float32Array.of(1) });
  assert.deepEqual(product("float32").run({ x: Float32Array.of(1) }), { y: weight });
  assert.deepEqual(state.get(), { w: weight });
});

test("values and gradients in bfloat16 are those of float32 to one part in a hundred", () => {
  using state = new DeviceState({ w: { shape: [32, 32], dtype: "float32" } });
  const wave = (phase: number) => Float32Array.from({ length: 1024 }, (_, index) => Math.sin(phase + index * index));
  state.set({ w: wave(1) });
  const [exact, rough] = (["float32", "bfloat16"] as const).map((precision) =>
    trace(
      "network",
      ({ state: { w }, feeds: { x } }) => {
        const loss = (weight: tf.Tensor) => {
          const hidden = tf.tanh(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D));
          return tf.mean(tf.square(tf.matMul(hidden as tf.Tensor2D, weight as tf.Tensor2D))) as tf.Scalar;
        };
        const { value, grads } = tf.valueAndGrads(loss)([w as tf.Tensor]);
        return { outputs: { loss: value, gradient: grads[0] as tf.Tensor } };
      },
      { state, feeds: { x: { shape: [32, 32], dtype: "float32" } }, precision },
    ).run({ x: wave(2) }),
  );
  for (const name of ["loss", "gradient"]) {
    const difference = distance(exact?.[name], rough?.[name]);
    assert.ok(difference < 0.01, `${name}: ${difference}`);
    assert.notEqual(difference, 0, name);
  }
});

/** Of two vectors, relative to the length of the first. */
function distance(a: Elements | undefined, b: Elements | undefined): number {
  assert.ok(a !== undefined && b !== undefined);
  const length = (vector: ArrayLike<number>) => Math.hypot(...Array.from(vector));
  return length(a.map((value, index) => value - (b[index] ?? Number.NaN))) / length(a);
}

test("After keeps the type of x, whatever the type of what it waits for", () => {
  const after = (x: tf.Tensor, other: tf.Tensor) => tf.engine().runKernel("After", { x, other }) as tf.Tensor;
  const program = lowered(({ x, w }) => {
    const product = tf.matMul(x, w);
    return { lower: tf.matMul(after(product, x) as tf.Tensor2D, w), exact: after(x, product) };
  });
  const made = types(program).filter((line) => line.startsWith("After"));
  assert.deepEqual(made, ["After bfloat16", "After float32"]);
});
