/** What is traced gives the numbers that tfjs gives when it computes at once: random compositions, values and gradients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import fc from "fast-check";
import { DeviceState, type Elements, trace } from "./index.ts";

/** Each takes a matrix, and a weight of 4 x 4, to a matrix of at most 8 x 8, smoothly enough for a comparison of gradients. */
const layers = {
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
  square: (x) => tf.square(tf.tanh(x)),
  relu: (x) => tf.relu(tf.add(x, 0.01)),
  softplus: (x) => tf.softplus(x),
  negative: (x) => tf.neg(x),
  difference: (x) => tf.sub(x, tf.mean(x, 0, true)),
  quotient: (x) => tf.div(x, tf.add(1, tf.sum(tf.square(x), 1, true))),
  norm: (x) => tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), 1, true), 1e-5))),
  product: (x, w) => tf.matMul(x, tf.slice(tf.tile(w, [2, 1]), [0, 0], [columns(x), 4])),
  transposed: (x, w) => tf.matMul(x, tf.slice(tf.tile(w, [1, 2]), [0, 0], [4, columns(x)]), false, true),
  softmax: (x) => tf.softmax(x),
  logSumExp: (x) => tf.logSumExp(x, 1, true),
  gather: (x) => tf.gather(x, tf.tensor1d([rows(x) - 1, 0, rows(x) - 1], "int32")),
  concatenation: (x) => (rows(x) > 4 ? x : tf.concat([x, tf.neg(x)], 0)),
  transposition: (x) => tf.transpose(x),
  stack: (x) => tf.sum(tf.stack([x, tf.exp(tf.neg(tf.square(x)))]), 0),
  halves: (x) => (columns(x) % 2 === 0 ? tf.mul(...halves(x)) : x),
  larger: (x) => tf.maximum(x, tf.mul(x, 0.1)),
  largest: (x) => tf.add(x, tf.max(x, 1, true)),
} as const satisfies Record<string, (x: tf.Tensor2D, w: tf.Tensor2D) => tf.Tensor>;

function rows(x: tf.Tensor2D): number {
  return x.shape[0];
}

function columns(x: tf.Tensor2D): number {
  return x.shape[1];
}

function halves(x: tf.Tensor2D): [tf.Tensor, tf.Tensor] {
  const [left, right] = tf.split(x, 2, 1);
  assert.ok(left !== undefined && right !== undefined);
  return [left, right];
}

type Layer = keyof typeof layers;

/** The mean square of the last layer, its gradients, and the layer itself. */
function composition(names: readonly Layer[], x: tf.Tensor, w: tf.Tensor) {
  const through = (from: tf.Tensor, weight: tf.Tensor) =>
    names.reduce<tf.Tensor>((y, name) => layers[name](y as tf.Tensor2D, weight as tf.Tensor2D), from);
  const loss = (from: tf.Tensor, weight: tf.Tensor) => {
    const used = tf.add(through(from, weight), tf.mul(tf.sum(weight), 0.1)); // the gradient of w is one of w
    return tf.mean(tf.square(used)) as tf.Scalar;
  };
  const { value, grads } = tf.valueAndGrads(loss)([x, w]);
  const [ofX, ofW] = grads;
  assert.ok(ofX !== undefined && ofW !== undefined);
  return { value, ofX, ofW, y: through(x, w) };
}

const sizes = fc.record({ rows: fc.integer({ min: 1, max: 4 }), columns: fc.integer({ min: 1, max: 4 }) });
const chosen = fc.array(fc.constantFrom(...(Object.keys(layers) as Layer[])), { minLength: 1, maxLength: 6 });

for (const xla of [false, true]) {
  const runs = xla ? 6 : 60; // compilation takes half a second
  test(`a traced composition${xla ? " compiled by XLA" : ""} has the values and gradients of the eager one`, () => {
    fc.assert(
      fc.property(sizes, chosen, fc.integer({ min: 1, max: 1000 }), (size, names, seed) => {
        const x = wave(size.rows * size.columns, seed);
        const w = wave(16, seed + 0.5);
        const eager = tf.tidy(() => {
          const given = [tf.tensor(x, [size.rows, size.columns]), tf.tensor(w, [4, 4])] as const;
          return Object.entries(composition(names, ...given)).map(
            ([name, tensor]) => [name, tensor.dataSync()] as const,
          );
        });
        using state = new DeviceState({ w: { shape: [4, 4], dtype: "float32" } });
        state.set({ w });
        const feeds = { x: { shape: [size.rows, size.columns], dtype: "float32" } } as const;
        const traced = trace(
          "composition",
          ({ state: { w: weight }, feeds: { x: fed } }) => {
            assert.ok(weight !== undefined && fed !== undefined);
            return { outputs: composition(names, fed, weight) };
          },
          { state, feeds, xla },
        ).run({ x });
        for (const [name, expected] of eager) assertClose(name, traced[name], expected);
      }),
      { numRuns: runs, seed: 26 },
    );
  });
}

/** Numbers between -1 and 1 without a pattern that a wrong axis would not disturb. */
function wave(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(seed + 1.7 * index * index + index));
}

function assertClose(name: string, actual: Elements | undefined, expected: ArrayLike<number>): void {
  assert.equal(actual?.length, expected.length, name);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (const [index, value] of actual.entries()) {
    const difference = Math.abs(value - (expected[index] ?? Number.NaN));
    assert.ok(difference <= 1e-6 * scale, `${name}[${index}] is ${value}, eagerly ${expected[index]}`);
  }
}
