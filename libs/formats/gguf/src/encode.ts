/** Writes a GGUF file, piece by piece: the weights are never copied into one buffer. */
import assert from "node:assert/strict";
import {
  aligned,
  float32Type,
  type GgufContent,
  type GgufTensor,
  type GgufValue,
  magic,
  typeNumbers,
  version,
} from "./format.ts";

/**
 * The pieces of the file in their order: the header, then the bytes of each tensor (views of the tensors' own memory: do not change them
 * before the pieces are written). The same content in the same order gives the same bytes.
 *
 * @throws AssertionError when the data of a tensor is not what its shape says
 */
export function* encodeGguf({ values, tensors }: GgufContent): Generator<Uint8Array, void> {
  const header = [text(magic), uint32(version), uint64(tensors.size), uint64(values.size)];
  for (const [key, value] of values) header.push(...named(key), ...encodedValue(value));
  let offset = 0;
  for (const [name, tensor] of tensors) {
    header.push(...named(name), ...encodedInfo(name, tensor, offset));
    offset += aligned(tensor.data.byteLength);
  }
  yield* padded(Buffer.concat(header));
  for (const { data } of tensors.values()) yield* padded(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function encodedValue(value: GgufValue): Uint8Array[] {
  switch (value.type) {
    case "uint32":
      return [uint32(typeNumbers.uint32), uint32(value.value)];
    case "float32":
      return [uint32(typeNumbers.float32), numbers(Float32Array.of(value.value))];
    case "bool":
      return [uint32(typeNumbers.bool), Uint8Array.of(Number(value.value))];
    case "string":
      return [uint32(typeNumbers.string), ...named(value.value)];
    case "strings":
      return [...arrayOf("string", value.value.length), ...value.value.flatMap(named)];
    case "int32s":
      return [...arrayOf("int32", value.value.length), numbers(Int32Array.from(value.value))];
  }
}

function encodedInfo(name: string, { shape, data }: GgufTensor, offset: number): Uint8Array[] {
  const count = shape.reduce((product, length) => product * length, 1);
  assert(count === data.length, `${name}: ${data.length} elements for the shape [${shape.join(", ")}]`);
  return [uint32(shape.length), ...shape.toReversed().map(uint64), uint32(float32Type), uint64(offset)];
}

function arrayOf(type: "string" | "int32", items: number): Uint8Array[] {
  return [uint32(typeNumbers.array), uint32(typeNumbers[type]), uint64(items)];
}

/** A text behind its length in bytes. */
function named(value: string): Uint8Array[] {
  const bytes = text(value);
  return [uint64(bytes.length), bytes];
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function uint32(value: number): Uint8Array {
  return numbers(Uint32Array.of(value));
}

function uint64(value: number): Uint8Array {
  return numbers(BigUint64Array.of(BigInt(value)));
}

/** As the machine has them: little-endian, as everywhere that this project runs. */
function numbers(values: Uint32Array | Int32Array | Float32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

function* padded(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes;
  const missing = aligned(bytes.length) - bytes.length;
  if (missing > 0) yield new Uint8Array(missing);
}
