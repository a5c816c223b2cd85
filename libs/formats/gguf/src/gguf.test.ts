/** A GGUF file: the bytes that the format's description asks for, read by another program's reader and by ours, refused when damaged. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gguf } from "@huggingface/gguf";
import { DataLoss } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { decodeGguf } from "./decode.ts";
import { encodeGguf } from "./encode.ts";
import type { GgufContent } from "./format.ts";

const content: GgufContent = {
  values: new Map([
    ["general.architecture", { type: "string", value: "llama" }],
    ["llama.block_count", { type: "uint32", value: 8 }],
    ["llama.rope.freq_base", { type: "float32", value: 1e6 }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
    ["tokenizer.ggml.tokens", { type: "strings", value: ["<|endoftext|>", "Ġ鲸", ""] }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: [3, 1, -1] }],
  ]),
  tensors: new Map([
    ["token_embd.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["output_norm.weight", { shape: [3], data: Float32Array.of(0.5, -1, 1e-3) }],
  ]),
};
const bytes = Buffer.concat([...encodeGguf(content)]);

test("what was written is read back, value by value and number by number", () => {
  assert.deepEqual(decodeGguf(bytes, "x.gguf"), content);
});

test("a file of one value and one tensor, byte by byte", () => {
  const small = Buffer.concat([
    ...encodeGguf({
      values: new Map([["k", { type: "uint32", value: 7 }]]),
      tensors: new Map([["t", { shape: [1, 2], data: Float32Array.of(1, -2) }]]),
    }),
  ]);
  const header = hex(
    "47475546 03000000", // "GGUF", version 3
    "0100000000000000 0100000000000000", // one tensor, one value
    "0100000000000000 6b 04000000 07000000", // "k": uint32 7
    "0100000000000000 74 02000000", // "t", two lengths
    "0200000000000000 0100000000000000", // the innermost one first
    "00000000 0000000000000000", // float32, at 0
  );
  assert.deepEqual(small.subarray(0, header.length), header);
  assert.deepEqual(small.subarray(96), Buffer.concat([hex("0000803f 000000c0"), Buffer.alloc(24)])); // 1, -2, padding
});

function hex(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("").replaceAll(" ", ""), "hex");
}

test("another program's reader finds the same values, shapes and places", async (t) => {
  const path = join(temporaryDirectory(t), "x.gguf");
  writeFileSync(path, bytes);
  const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true });
  const { version, tensor_count, kv_count, ...values } = metadata;
  assert.deepEqual([version, tensor_count, kv_count], [3, 2n, 6n]);
  assert.deepEqual(values, Object.fromEntries([...content.values].map(([key, { value }]) => [key, value])));
  const found = tensorInfos.map(({ name, shape, dtype, offset }) => {
    const count = Number(shape.reduce((product, length) => product * length, 1n));
    const begin = Number(tensorDataOffset + offset);
    const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + begin + 4 * count));
    return [name, shape.map(Number).reverse(), dtype, [...data]];
  });
  const expected = [...content.tensors].map(([name, { shape, data }]) => [name, shape, 0, [...data]]);
  assert.deepEqual(found, expected);
});

test("cut anywhere, the file is refused", () => {
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => decodeGguf(bytes.subarray(0, length), "x.gguf"), DataLoss, `${length} bytes`);
  }
});

test("a changed byte is refused or changes a value: nothing else is thrown, nothing is read beyond the end", () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const damaged = Uint8Array.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ change;
      try {
        decodeGguf(damaged, "x.gguf");
      } catch (error) {
        assert.ok(error instanceof DataLoss, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

for (const [claim, place, value, fault] of [
  ["another magic", 0, 0x67, /begins with "gGUF"/],
  ["another version", 4, 2, /version 2; 3 is read/],
  ["more tensors than a memory holds", 15, 1, /number of tensors is 72057594037927938; at most/],
  ["one tensor more than there is", 8, 3, /"" has 0 lengths; 1 to 4/],
] as const) {
  test(`${claim}: refused by name`, () => {
    const damaged = Uint8Array.from(bytes);
    damaged[place] = value;
    assert.throws(
      () => decodeGguf(damaged, "x.gguf"),
      (error) => error instanceof DataLoss && fault.test(error.message),
    );
  });
}
