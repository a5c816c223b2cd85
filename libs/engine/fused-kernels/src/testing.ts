/**
 * What the tests of this package share: the kernels on two backends, numbers to feed them, and the measure of a difference.
 *
 * The backend `bfloat16` stands for a trace in that precision: it rounds what a kernel stores on the way in, and makes float32 of
 * it on the way out.
 */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { type FusedKernel, type FusedKernelName, fusedKernels } from "./kernels.ts";
import { loadFusedKernels } from "./load.ts";
import { registerFusedKernels } from "./register.ts";

/** Set by a test that runs the others on the library of a lesser processor: its flags. */
export const processorVariable = "TEST_PROCESSOR_FLAGS";

const flags = process.env[processorVariable];
export const processorHasLibrary = flags === undefined ? loadFusedKernels() : loadFusedKernels(`flags : ${flags}`);

const eager = tf.backend() as NodeJSKernelBackend;
registerFusedKernels("tensorflow");
tf.registerBackend("bfloat16", () => new NodeJSKernelBackend(lowering(eager.binding), "tests"));
tf.copyRegisteredKernels("tensorflow", "bfloat16");

/** The backends, and how far the kernels may be off there, as a part of the largest number. */
export const precisions = [
  { backend: "tensorflow", tolerance: 1e-5 },
  { backend: "bfloat16", tolerance: 2e-2 },
] as const;

export function run(
  name: FusedKernelName,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Readonly<Record<string, number>> = {},
): tf.Tensor[] {
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(name, { ...inputs }, { ...attributes });
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** What `compute` gives when `backend` runs the kernels. */
export function on<T extends tf.TensorContainer>(backend: string, compute: () => T): T {
  void tf.setBackend(backend); // done when it returns: no backend here is made asynchronously
  try {
    return tf.tidy(compute);
  } finally {
    void tf.setBackend("tensorflow");
  }
}

/** A digest of every output of every kernel on both backends, over shapes that make several parts of work. */
export function digestsOfAllKernels(): string[] {
  const [x, sum, sumGradient] = [random([200, 96], 1), random([200, 96], 2), random([200, 96], 3)];
  const norm = { x, residual: sum, sum, weight: random([96], 4), gradient: random([200, 96], 5), sumGradient };
  const read = { qkv: random([2, 70, 128], 6), cos: random([70, 8], 7), sin: random([70, 8], 8) };
  const [y, logSumExp] = run("CausalAttention", read, settings) as [tf.Tensor, tf.Tensor];
  const decoded = {
    qkv: random([2, 3, 128], 14),
    keys: random([40, 2, 2, 16], 15),
    values: random([40, 2, 2, 16], 16),
  };
  const gated = { gateUp: x, gradient: random([200, 48], 9) };
  const targets = tf.randomUniform([100], 0, 300, "int32", 10);
  const [flat, half] = [random([70_000], 11), tf.scalar(0.5)];
  const moments = { weight: flat, firstMoment: flat, secondMoment: tf.square(flat), gradient: flat };
  const given: Readonly<Record<FusedKernelName, Readonly<Record<string, tf.Tensor>>>> = {
    CausalAttention: read,
    CausalAttentionGradient: { ...read, y, logSumExp, gradient: random([2, 70, 64], 12) },
    CachedAttention: { ...decoded, cos: random([3, 8], 16), sin: random([3, 8], 17), position: tf.scalar(20, "int32") },
    RmsNorm: norm,
    RmsNormGradient: norm,
    SwiGlu: gated,
    SwiGluGradient: gated,
    SoftmaxCrossEntropy: { logits: random([100, 300], 13), targets, weights: tf.ones([100]) },
    ThinProduct: { 0: random([700, 96], 18), 1: random([300, 96], 19), x: random([3, 96], 20) },
    AdamW: { ...moments, gradientScale: half, keep: half, stepSize: half, rootScale: half },
    SumOfSquares: { 0: flat, 1: flat },
  };
  return (Object.keys(fusedKernels) as FusedKernelName[]).flatMap((name) =>
    precisions.flatMap(({ backend }) =>
      on(backend, () => run(name, given[name], settings)).map((output, index) => {
        const digest = createHash("sha256").update(new Uint8Array(output.dataSync().buffer)).digest("hex");
        return `${name} ${backend} ${index} ${digest}`;
      }),
    ),
  );
}

/** Numbers of a bell curve, the same for the same seed. */
export function random(shape: number[], seed: number, deviation = 1): tf.Tensor {
  return tf.randomNormal(shape, 0, deviation, "float32", seed);
}

/** The largest difference between two tensors is at most `tolerance` of the largest number that is expected. */
export function assertClose(
  found: tf.Tensor | undefined,
  expected: tf.Tensor | undefined,
  tolerance: number,
  what: string,
): void {
  assert.ok(found !== undefined && expected !== undefined, what);
  assert.deepEqual(found.shape, expected.shape, what);
  const [a, b] = [found.dataSync(), expected.dataSync()];
  let [largest, difference] = [0, 0];
  for (const [index, value] of b.entries()) {
    largest = Math.max(largest, Math.abs(value));
    const gap = Math.abs(value - (a[index] ?? Number.NaN));
    if (!(gap <= difference)) difference = gap; // a NaN as well
  }
  assert.ok(difference <= tolerance * largest, `${what}: off by ${difference} where the largest is ${largest}`);
}

const settings = { heads: 4, keyValueHeads: 2, epsilon: 1e-5, beta1: 0.9, beta2: 0.95 };
const float = 1;
const bfloat16 = 14;

function lowering(binding: TFJSBinding): TFJSBinding {
  const cast = (id: number, from: number, to: number) => {
    const attributes = [
      { name: "SrcT", type: binding.TF_ATTR_TYPE, value: from },
      { name: "DstT", type: binding.TF_ATTR_TYPE, value: to },
      { name: "Truncate", type: binding.TF_ATTR_BOOL, value: false },
    ];
    const [output] = binding.executeOp("Cast", attributes, [id], 1);
    if (output === undefined) throw new Error("Cast gave nothing");
    return output;
  };
  const executeOp: TFJSBinding["executeOp"] = (operation, attributes, ids, count) => {
    const kernel = Object.values<FusedKernel>(fusedKernels).find((each) => each.operation === operation);
    if (kernel === undefined || kernel.stored.length === 0) return binding.executeOp(operation, attributes, ids, count);
    const isStored = (index: number) => kernel.stored.includes(kernel.inputs[index] ?? "");
    const lowered = ids.map((id, index) => (isStored(index) ? cast(id, float, bfloat16).id : id));
    const typed = attributes.map((each: TFEOpAttr) =>
      each.name === "T" ? { name: each.name, type: each.type, value: bfloat16 } : each,
    );
    return binding
      .executeOp(operation, typed, lowered, count)
      .map((output) => (output.dtype === bfloat16 ? cast(output.id, bfloat16, float) : output));
  };
  return Object.create(binding, { executeOp: { value: executeOp } }) as TFJSBinding;
}
