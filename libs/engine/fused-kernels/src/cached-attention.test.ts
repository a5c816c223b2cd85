/** Attention to a cache against the definition, written out number by number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const shapes = fc
  .record({
    batch: fc.constantFrom(1, 2),
    tokens: fc.constantFrom(1, 2, 8),
    keyValueHeads: fc.constantFrom(1, 3),
    group: fc.constantFrom(1, 4),
    size: fc.constantFrom(2, 8, 16, 24, 64),
    before: fc.constantFrom(0, 1, 14, 15, 16, 40),
    behind: fc.constantFrom(0, 5),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map((shape) => ({ ...shape, places: shape.before + shape.tokens + shape.behind }));

interface Shape {
  readonly batch: number;
  readonly tokens: number;
  readonly keyValueHeads: number;
  readonly group: number;
  readonly size: number;
  readonly before: number;
  readonly places: number;
}

test("each token reads the places up to its own; keys are kept rotated; what lies behind stays", { skip }, () => {
  fc.assert(
    fc.property(shapes, ({ seed, ...shape }) => {
      tf.tidy(() => {
        const { batch, tokens, keyValueHeads, group, size, before, places } = shape;
        const angles = random([tokens, size / 2], seed);
        const cache = () => [places, batch, keyValueHeads, size];
        const inputs = {
          qkv: random([batch, tokens, (group + 2) * keyValueHeads * size], seed + 1),
          cos: tf.cos(angles),
          sin: tf.sin(angles),
          position: tf.scalar(before, "int32"),
          keys: random(cache(), seed + 2),
          values: random(cache(), seed + 3),
        };
        const [read, keys, values] = run("CachedAttention", inputs);
        const expected = byDefinition(shape, inputs);
        assertClose(keys, expected.keys, 1e-6, "keys");
        assertClose(values, expected.values, 0, "values");
        assertClose(read, expected.read, 2e-6, "read");
      });
    }),
    { numRuns: 60, seed: 1 },
  );
});

test("tokens that do not fit behind the position, and nine tokens, are refused in words", { skip }, () => {
  const inputs = (tokens: number, position: number) => ({
    qkv: tf.zeros([1, tokens, 6]),
    cos: tf.ones([tokens, 1]),
    sin: tf.zeros([tokens, 1]),
    position: tf.scalar(position, "int32"),
    keys: tf.zeros([10, 1, 1, 2]),
    values: tf.zeros([10, 1, 1, 2]),
  });
  run("CachedAttention", inputs(2, 8));
  assert.throws(() => run("CachedAttention", inputs(2, 9)), /2 tokens from position 9 on do not fit into 10 places/);
  assert.throws(() => run("CachedAttention", inputs(2, -1)), /from position -1/);
  assert.throws(() => run("CachedAttention", inputs(9, 0)), /at most 8 tokens/);
});

test("what is not a number in a place that is seen reaches what is read; behind the position it does not", {
  skip,
}, () => {
  const inputs = (place: number) => ({
    qkv: tf.ones([1, 1, 6]),
    cos: tf.ones([1, 1]),
    sin: tf.zeros([1, 1]),
    position: tf.scalar(2, "int32"),
    keys: tf.tensor4d(
      Array.from({ length: 10 }, (_, index) => (index === 2 * place ? Number.NaN : 0)),
      [5, 1, 1, 2],
    ),
    values: tf.zeros([5, 1, 1, 2]),
  });
  assert.ok(run("CachedAttention", inputs(1))[0]?.dataSync().every(Number.isNaN));
  assert.ok(run("CachedAttention", inputs(3))[0]?.dataSync().every(Number.isFinite));
});

/** In float64, with numbers at [place or token][sequence][head][size]. */
function byDefinition(shape: Shape, inputs: Readonly<Record<"qkv" | "cos" | "sin" | "keys" | "values", tf.Tensor>>) {
  const { batch, tokens, keyValueHeads, group, size, before } = shape;
  const heads = group * keyValueHeads;
  const numbers = (name: keyof typeof inputs) => Float64Array.from(inputs[name].dataSync());
  const [qkv, cos, sin, keys, values] = (["qkv", "cos", "sin", "keys", "values"] as const).map(numbers) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array, // biome-ignore format: one each
  ];
  const row = (sequence: number, token: number, head: number) => {
    const start = ((sequence * tokens + token) * (heads + 2 * keyValueHeads) + head) * size;
    return qkv.subarray(start, start + size);
  };
  const turned = (x: Float64Array, token: number) =>
    x.map((value, index) => {
      const angle = token * (size / 2) + Math.floor(index / 2);
      const other = index % 2 === 0 ? -(x[index + 1] ?? 0) : (x[index - 1] ?? 0);
      return value * (cos[angle] ?? 0) + other * (sin[angle] ?? 0);
    });
  const entry = (place: number, sequence: number, head: number) =>
    ((place * batch + sequence) * keyValueHeads + head) * size;
  const read = new Float64Array(batch * tokens * heads * size);
  for (let sequence = 0; sequence < batch; sequence += 1) {
    for (let token = 0; token < tokens; token += 1) {
      for (let head = 0; head < keyValueHeads; head += 1) {
        const at = entry(before + token, sequence, head);
        keys.set(turned(row(sequence, token, heads + head), token), at);
        values.set(row(sequence, token, heads + keyValueHeads + head), at);
      }
    }
    for (let token = 0; token < tokens; token += 1) {
      for (let head = 0; head < heads; head += 1) {
        const query = turned(row(sequence, token, head), token);
        const at = (place: number) => entry(place, sequence, Math.floor(head / group));
        const weights = Array.from({ length: before + token + 1 }, (_, place) =>
          Math.exp(
            query.reduce((sum, value, index) => sum + value * (keys[at(place) + index] ?? 0), 0) / Math.sqrt(size),
          ),
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let index = 0; index < size; index += 1) {
          const share =
            weights.reduce((sum, weight, place) => sum + weight * (values[at(place) + index] ?? 0), 0) / total;
          read[((sequence * tokens + token) * heads + head) * size + index] = share;
        }
      }
    }
  }
  const cache = inputs.keys.shape;
  return {
    keys: tf.tensor(Float32Array.from(keys), cache),
    values: tf.tensor(Float32Array.from(values), cache),
    read: tf.tensor(Float32Array.from(read), [batch, tokens, heads * size]),
  };
}
