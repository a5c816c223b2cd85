import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./index.ts";

const tensors = new Map<string, StoredTensor>([
  ["a.weight", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
  ["7", { dtype: "I64", shape: [1], data: BigInt64Array.of(5n) }],
  ["h", { dtype: "BF16", shape: [3], data: Uint16Array.of(1, 2, 3) }],
  ["s", { dtype: "U8", shape: [], data: Uint8Array.of(9) }],
]);
const file = Buffer.concat([...encodeSafetensors(tensors, { format: "pt" })]);
const headerEnd = 8 + Number(file.readBigUInt64LE(0));
const body = file.subarray(headerEnd);

export default {
  seeds: () => [new Uint8Array(file.subarray(8, headerEnd))],
  dictionary: [
    "dtype",
    "shape",
    "data_offsets",
    "__metadata__",
    "F32",
    "F64",
    "BF16",
    "F8_E4M3",
    "[0,0]",
    "1e1",
    "4.0",
  ],
  enclose(header) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return new Uint8Array(Buffer.concat([length, header, body]));
  },
  take(bytes) {
    const read = decodeSafetensors(bytes, "a.safetensors");
    const again = decodeSafetensors(Buffer.concat([...encodeSafetensors(read.tensors, read.metadata)]), "again");
    assert.deepEqual(again.metadata, read.metadata);
    const inOrder = (content: typeof read) => [...content.tensors].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(inOrder(again), inOrder(read));
  },
} satisfies FuzzTarget;
