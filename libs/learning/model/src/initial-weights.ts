/** The weights before the first step, from a seed alone: the same numbers in any language, on any machine, in any order. */
import { type ModelShape, parameterShapes } from "./model-shape.ts";

/**
 * Matrices, the tied embedding among them, uniform in ±1/√fan_in, where fan_in is the last length; norms 1.
 *
 * Element i (row-major) of a tensor depends on the seed, the tensor's name and i, and on nothing else, so adding a tensor
 * changes no other. In 32-bit unsigned arithmetic, with `mix` the finalizer of MurmurHash3 (Austin Appleby, public domain):
 *
 *     a = fnv1a(name, UTF-8)       b = mix(seed ^ a)       c = mix(b + 0x9e3779b9)
 *     u = mix(mix(i + b) ^ c) / 2³²                        two rounds, or tensors would be shifted copies of one sequence
 *     weight = float32((2u - 1) / √fan_in)
 *
 * @param seed an unsigned 32-bit integer
 */
export function initialWeights(shape: ModelShape, seed: number): Map<string, Float32Array> {
  const tensors = [...parameterShapes(shape)];
  return new Map(tensors.map(([name, lengths]) => [name, initialTensor(name, lengths, seed)]));
}

function initialTensor(name: string, lengths: readonly number[], seed: number): Float32Array {
  const [outer = 1, fanIn] = lengths;
  return fanIn === undefined ? new Float32Array(outer).fill(1) : uniformMatrix(name, outer * fanIn, fanIn, seed);
}

function uniformMatrix(name: string, size: number, fanIn: number, seed: number): Float32Array {
  const bound = 1 / Math.sqrt(fanIn);
  const first = mix(seed ^ fnv1a(name));
  const second = mix(first + 0x9e3779b9);
  const values = new Float32Array(size);
  for (let index = 0; index < size; index += 1) {
    const bits = mix(mix(index + first) ^ second);
    values[index] = (2 * (bits / 2 ** 32) - 1) * bound;
  }
  return values;
}

/** A one-to-one map of 32 bits to 32 bits in which every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Fowler, Noll and Vo's hash of a text: 32 bits, variant 1a. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
