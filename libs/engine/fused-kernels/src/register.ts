/** From tfjs's kernels to the operations of the library. */
import * as tf from "@tensorflow/tfjs-core";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { type FusedKernel, fusedKernels } from "./kernels.ts";
import { loadFusedKernels } from "./load.ts";

type Attributes = Readonly<Record<string, number>>;

/**
 * Gives a backend, the eager one or one that records, the kernels of `fusedKernels`. TensorFlow's registry of operations is one
 * for the whole process, so this loads the library once.
 *
 * @param backendName of a NodeJSKernelBackend
 * @returns false if this processor has no library: then nothing is registered, and the plain graph has to do
 */
export function registerFusedKernels(backendName: string): boolean {
  if (!loadFusedKernels()) return false;
  for (const [name, kernel] of Object.entries<FusedKernel>(fusedKernels)) {
    if (tf.getKernel(name, backendName) !== undefined) continue; // tfjs warns of a kernel that it has twice
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        if (!(backend instanceof NodeJSKernelBackend)) throw new TypeError(`${name} needs a backend on TensorFlow`);
        return runOperation(name, kernel, backend, inputs, (attrs ?? {}) as Attributes);
      },
    });
  }
  return true;
}

function runOperation(
  name: string,
  kernel: FusedKernel,
  backend: NodeJSKernelBackend,
  inputs: tf.NamedTensorInfoMap,
  attributes: Attributes,
): tf.TensorInfo[] {
  const given = inputsInOrder(name, kernel, inputs);
  const numbers = Object.fromEntries(kernel.attributes.map((key) => [key, numberOf(name, attributes, key)]));
  const run = (all: tf.TensorInfo[]) =>
    backend.executeMultipleOutputs(
      kernel.operation,
      operationAttributes(kernel, backend, numbers, all.length),
      all,
      kernel.outputs.length,
    );
  const { heads, keyValueHeads } = numbers;
  if (heads === undefined || keyValueHeads === undefined) return run(given);
  expectHeads(name, inputs, heads, keyValueHeads);
  if (kernel.operation !== "PretrainCausalAttention") return run(given);
  const headCount = tf.tensor2d([], [heads, 0], "int32");
  const outputs = run([...given, headCount]);
  headCount.dispose();
  return outputs;
}

/** The operation counts the heads of keys and values from the widths, so a wrong number here would go unnoticed. */
function expectHeads(name: string, { qkv, cos }: tf.NamedTensorInfoMap, heads: number, keyValueHeads: number): void {
  const width = qkv?.shape.at(-1);
  const expected = (heads + 2 * keyValueHeads) * 2 * (cos?.shape.at(-1) ?? 0);
  if (width === expected) return;
  const found = `${heads} heads and ${keyValueHeads} of keys and values make ${expected} columns`;
  throw new TypeError(`${name}: ${found} with the size that cos has, qkv has ${width}`);
}

function inputsInOrder(
  name: string,
  { inputs: names, behindMany = [] }: FusedKernel,
  inputs: tf.NamedTensorInfoMap,
): tf.TensorInfo[] {
  const many = () => Object.keys(inputs).filter((key) => !behindMany.includes(key));
  const keys = names === "many" ? [...many(), ...behindMany] : names;
  return keys.map((key) => {
    const input = inputs[key];
    if (input === undefined) throw new TypeError(`${name} needs the input ${key}`);
    return input;
  });
}

function numberOf(name: string, attributes: Attributes, key: string): number {
  const value = attributes[key];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError(`${name} needs the number ${key}`);
  return value;
}

function operationAttributes(
  { stored, inputs, behindMany = [] }: FusedKernel,
  { binding }: NodeJSKernelBackend,
  { beta1, beta2, epsilon }: Attributes,
  inputCount: number,
): TFEOpAttr[] {
  const number = (name: string, value: number) => ({ name, type: binding.TF_ATTR_FLOAT, value });
  const result: TFEOpAttr[] = [];
  if (stored.length > 0) result.push({ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT });
  if (inputs === "many") result.push({ name: "N", type: binding.TF_ATTR_INT, value: inputCount - behindMany.length });
  if (epsilon !== undefined) result.push(number("epsilon", epsilon));
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (beta === undefined) continue;
    // 1 - beta from the double, rounded once: 1 - 0.999 in float32 is off by 1.3e-5.
    result.push(number(name, beta), number(`one_minus_${name}`, 1 - beta));
  }
  return result;
}
