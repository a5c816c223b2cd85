/** The norm kernels against the definition, differentiated by tfjs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, on, precisions, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const epsilon = 1e-5;
const shapes = fc.record({
  rows: fc.constantFrom([1], [5], [3, 11], [97]), // more than 32 are more than one part of the work
  width: fc.constantFrom(6, 8, 15, 16, 17, 48, 130),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

for (const { backend, tolerance } of precisions) {
  test(`on ${backend}, the norm and its gradients equal the plain graph's for all shapes`, { skip }, () => {
    property(({ x, weight, gradient }) => {
      const [dx, dWeight] = tf.grads(norm)([x, weight], gradient);
      const [normed] = on(backend, () => run("RmsNorm", { x, weight }, { epsilon }));
      const [foundX, foundWeight, again] = on(backend, () =>
        run("RmsNormGradient", { x, weight, gradient }, { epsilon }),
      );
      assertClose(normed, norm(x, weight), tolerance, "normed");
      assertClose(foundX, dx, tolerance, "dx");
      assertClose(foundWeight, dWeight, tolerance, "dWeight");
      assertClose(again, norm(x, weight), tolerance, "normed, once more");
    });
  });
}

test("3 and 4 have the root mean square √12.5", { skip }, () => {
  const [normed] = run("RmsNorm", { x: tf.tensor2d([[3, 4]]), weight: tf.tensor1d([1, 10]) }, { epsilon: 0 });
  assertClose(normed, tf.tensor2d([[3 / Math.sqrt(12.5), 40 / Math.sqrt(12.5)]]), 1e-6, "normed");
});

test("a row of zeros stays one, and its gradient is finite", { skip }, () => {
  const [x, weight, gradient] = [tf.zeros([1, 16]), tf.ones([16]), tf.ones([1, 16])];
  const [normed] = run("RmsNorm", { x, weight }, { epsilon });
  const [dx] = run("RmsNormGradient", { x, weight, gradient }, { epsilon });
  assert.deepEqual(normed?.dataSync(), new Float32Array(16));
  assertClose(dx, tf.fill([1, 16], 1 / Math.sqrt(epsilon)), 1e-6, "dx");
});

test("shapes that do not belong together are refused in words", { skip }, () => {
  const x = tf.zeros([2, 8]);
  const weight = tf.zeros([8]);
  const attempt = (inputs: Record<string, tf.Tensor>) => () => run("RmsNorm", inputs, { epsilon });
  assert.throws(attempt({ x, weight: tf.zeros([7]) }), /weight must be \[8\], is \[7\]/);
  const gradient = tf.zeros([2, 9]);
  assert.throws(
    () => run("RmsNormGradient", { x, weight, gradient }, { epsilon }),
    /d_normed must be \[2,8\].*is \[2,9\]/,
  );
  assert.throws(attempt({ x: tf.scalar(1), weight }), /x must be \[..., width\], is \[\]/);
});

/** n weight with n = x / √(mean(x²) + epsilon). */
function norm(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), weight);
}

function property(check: (inputs: Record<"x" | "weight" | "gradient", tf.Tensor>) => void) {
  fc.assert(
    fc.property(shapes, ({ rows, width, seed }) => {
      tf.tidy(() => {
        const tensor = (offset: number) => random([...rows, width], seed + offset);
        check({
          x: tensor(0),
          weight: random([width], seed + 1),
          gradient: tensor(2),
        });
      });
    }),
    { numRuns: 25, seed: 1 },
  );
}
