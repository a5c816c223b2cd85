/** The SwiGLU kernels against the definition, differentiated by tfjs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { assertClose, on, precisions, processorHasLibrary, random, run } from "./testing.ts";

const skip = processorHasLibrary ? false : "this processor has no library";
const shapes = fc.record({
  rows: fc.constantFrom([1], [5], [2, 3], [35]), // more than 16 are more than one part of the work
  width: fc.constantFrom(1, 8, 15, 16, 17, 48, 130),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

for (const { backend, tolerance } of precisions) {
  test(`on ${backend}, SwiGLU and its gradient equal the plain graph's for all shapes`, { skip }, () => {
    fc.assert(
      fc.property(shapes, ({ rows, width, seed }) => {
        tf.tidy(() => {
          const [gateUp, gradient] = [random([...rows, 2 * width], seed, 3), random([...rows, width], seed + 1)];
          const [activation] = on(backend, () => run("SwiGlu", { gateUp }));
          const [dGateUp, again] = on(backend, () => run("SwiGluGradient", { gateUp, gradient }));
          assertClose(activation, gated(gateUp), tolerance, "activation");
          assertClose(dGateUp, tf.grad(gated)(gateUp, gradient), tolerance, "dGateUp");
          assertClose(again, gated(gateUp), tolerance, "activation, once more");
        });
      }),
      { numRuns: 25, seed: 1 },
    );
  });
}

test("the logistic function is right to six digits from e^-80 to 1", { skip }, () => {
  const gates = Array.from({ length: 1601 }, (_, index) => (index - 800) / 10);
  const [activation] = run("SwiGlu", {
    gateUp: tf.tensor2d(
      gates.flatMap((gate) => [gate, 1]),
      [1601, 2],
    ),
  });
  for (const [index, found] of [...(activation?.dataSync() ?? [])].entries()) {
    const gate = Math.fround(gates[index] ?? 0);
    const expected = gate / (1 + Math.exp(-gate));
    assert.ok(Math.abs(found - expected) <= 5e-7 * Math.abs(expected), `silu(${gate}) is ${expected}, not ${found}`);
  }
});

test("gates without end give themselves or nothing, and what is not a number stays that", { skip }, () => {
  const [activation] = run("SwiGlu", { gateUp: tf.tensor2d([1e4, 1, -1e4, 1, Number.NaN, 1], [3, 2]) });
  const [open, shut, unknown] = activation?.dataSync() ?? [];
  assert.equal(open, 1e4);
  assert.ok(Math.abs(shut ?? 1) < 1e-30);
  assert.ok(Number.isNaN(unknown));
});

test("an odd width and a gradient of another shape are refused in words", { skip }, () => {
  assert.throws(() => run("SwiGlu", { gateUp: tf.zeros([2, 7]) }), /gate_up must be \[..., 2 width\], is \[2,7\]/);
  const inputs = { gateUp: tf.zeros([2, 8]), gradient: tf.zeros([2, 3]) };
  assert.throws(() => run("SwiGluGradient", inputs), /d_activation must be \[2,4\], is \[2,3\]/);
});

/** silu(gate) up. */
function gated(gateUp: tf.Tensor): tf.Tensor {
  const [gate, up] = tf.split(gateUp, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}
