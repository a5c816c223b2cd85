import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { decodeGguf, encodeGguf, type GgufContent } from "./index.ts";

const content: GgufContent = {
  values: new Map([
    ["general.architecture", { type: "string", value: "llama" }],
    ["general.alignment", { type: "uint32", value: 32 }],
    ["llama.rope", { type: "float32", value: 10_000 }],
    ["tokenizer.tokens", { type: "strings", value: ["a", "é"] }],
    ["tokenizer.types", { type: "int32s", value: [1, -2] }],
    ["flag", { type: "bool", value: true }],
  ]),
  tensors: new Map([
    ["a", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["b", { shape: [1], data: Float32Array.of(7) }],
  ]),
};

export default {
  seeds: () => [new Uint8Array(Buffer.concat([...encodeGguf(content)]))],
  dictionary: ["GGUF", "general.alignment", "\u0020\0\0\0"],
  take(bytes) {
    const read = decodeGguf(bytes, "a.gguf");
    assert.deepEqual(decodeGguf(Buffer.concat([...encodeGguf(read)]), "again"), read);
  },
} satisfies FuzzTarget;
