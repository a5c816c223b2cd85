/** The product of few rows against TensorFlow's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 8 }),
  width: fc.constantFrom(1, 8, 15, 16, 17, 31, 32, 33, 130, 512),
  outputs: fc.array(fc.constantFrom(1, 3, 64, 300), { minLength: 1, maxLength: 3 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test("the products of several matrices with few rows stand side by side, and are TensorFlow's", { skip }, () => {
  fc.assert(
    fc.property(shapes, ({ rows, width, outputs, seed }) => {
      tf.tidy(() => {
        const x = random([rows, width], seed) as tf.Tensor2D;
        const matrices = outputs.map((count, index) => random([count, width], seed + 1 + index) as tf.Tensor2D);
        const expected = tf.concat(
          matrices.map((matrix) => tf.matMul(x, matrix, false, true)),
          1,
        );
        assertClose(run("ThinProduct", { ...Object.fromEntries(matrices.entries()), x })[0], expected, 2e-6, "product");
      });
    }),
    { numRuns: 40, seed: 1 },
  );
});

test("(1, 2) times the rows (3, 4) and (5, 6) of one matrix and (7, 8) of another is 11, 17 and 23", { skip }, () => {
  const matrices = [tf.tensor2d([3, 4, 5, 6], [2, 2]), tf.tensor2d([7, 8], [1, 2])];
  const [product] = run("ThinProduct", { ...Object.fromEntries(matrices.entries()), x: tf.tensor2d([1, 2], [1, 2]) });
  assert.deepEqual([...(product?.dataSync() ?? [])], [11, 17, 23]);
});

test("what is not a number reaches every product of its row, and no other row", { skip }, () => {
  const x = tf.tensor2d([Number.NaN, 1, 1, 1], [2, 2]);
  const [product] = run("ThinProduct", { 0: tf.ones([2, 2]), x });
  assert.deepEqual([...(product?.dataSync() ?? [])], [Number.NaN, Number.NaN, 2, 2]);
});

test("nine rows, and a matrix of another width, are refused in words", { skip }, () => {
  const matrix = tf.ones([3, 4]);
  assert.throws(() => run("ThinProduct", { 0: matrix, x: tf.ones([9, 4]) }), /at most 8 rows, is \[9,4\]/);
  assert.throws(
    () => run("ThinProduct", { 0: matrix, x: tf.ones([1, 5]) }),
    /matrix 0 must be \[outputs, 5\], is \[3,4\]/,
  );
});
