/** Writes tensors as a safetensors file, piece by piece: a checkpoint of 310 MB is never copied into one buffer. */
import assert from "node:assert/strict";
import { headerLimitBytes, lengthBytes, metadataKey } from "./format.ts";
import { elementCount, elementSizeBytes, type StoredTensor } from "./stored-tensor.ts";

/**
 * The pieces of the file in their order: the header, then the bytes of each tensor (views of the tensors' own memory: do
 * not change them before the pieces are written). The same tensors and metadata give the same bytes, whatever order they
 * come in: wider elements first, so that every tensor lies at a multiple of its element size, then by name.
 * Format: github.com/huggingface/safetensors, "Format".
 *
 * @throws AssertionError when the data of a tensor is not what its shape says, or the header would exceed 1 MiB
 */
export function* encodeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array, void> {
  const ordered = [...tensors].sort(inFileOrder);
  yield headerOf(ordered, metadata);
  for (const [, { data }] of ordered) {
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

type Entry = readonly [name: string, tensor: StoredTensor];

function inFileOrder([a, { dtype: aType }]: Entry, [b, { dtype: bType }]: Entry): number {
  return elementSizeBytes(bType) - elementSizeBytes(aType) || byName(a, b);
}

// By UTF-16 units, not by the language of the machine: the order decides the bytes.
function byName(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function headerOf(ordered: readonly Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries = new Map<string, unknown>([[metadataKey, sortedByKey(metadata)]]);
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    assert(!entries.has(name), `${name}: two tensors of this name`);
    assert(elementCount(shape) === data.length, `${name}: ${data.length} elements for the shape [${shape.join(", ")}]`);
    const begin = end;
    end += data.byteLength;
    entries.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  return withLength(new TextEncoder().encode(jsonObject(entries)));
}

/** Not through an object: it would put names such as "7" before all others, and lose "__proto__". */
function jsonObject(entries: ReadonlyMap<string, unknown>): string {
  const members = [...entries].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${members.join(",")}}`;
}

function sortedByKey(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => byName(a, b)));
}

/** The JSON behind its length, with spaces at its end so that the tensors begin at a multiple of 8. */
function withLength(json: Uint8Array): Uint8Array {
  const paddedLength = Math.ceil(json.length / 8) * 8;
  assert(
    paddedLength <= headerLimitBytes,
    `a header of ${paddedLength} bytes; at most ${headerLimitBytes} are read back`,
  );
  const header = new Uint8Array(lengthBytes + paddedLength).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(paddedLength), true);
  header.set(json, lengthBytes);
  return header;
}
