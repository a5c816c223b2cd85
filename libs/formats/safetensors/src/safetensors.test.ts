import assert from "node:assert/strict";
import { test } from "node:test";
import { DataLoss } from "@pretrain/errors";
import fc from "fast-check";
import { type Dtype, decodeSafetensors, encodeSafetensors, type StoredTensor } from "./index.ts";

const weight: StoredTensor = { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, Infinity, NaN) };
const step: StoredTensor = { dtype: "I64", shape: [], data: BigInt64Array.of(-(2n ** 62n)) };
const mask: StoredTensor = { dtype: "U8", shape: [3], data: Uint8Array.of(0, 255, 7) };
const moment: StoredTensor = { dtype: "F64", shape: [1, 1], data: Float64Array.of(Math.PI) };
const ids: StoredTensor = { dtype: "I32", shape: [2, 0], data: new Int32Array(0) };
const half: StoredTensor = { dtype: "F16", shape: [2], data: Float16Array.of(0.5, -65504) };
const brain: StoredTensor = { dtype: "BF16", shape: [1], data: Uint16Array.of(0x3f80) }; // 1
const tensors = new Map(Object.entries({ weight, step, mask, moment, ids, half, brain }));

const fileOf = (...encoded: Parameters<typeof encodeSafetensors>) => Buffer.concat([...encodeSafetensors(...encoded)]);

/** A file by hand: this header, padded as it stands, then so many bytes of data. */
function crafted(header: string | Buffer, dataBytes = 0): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes, 1)]);
}

void test("what was written is read back, bit for bit", () => {
  const content = decodeSafetensors(fileOf(tensors, { step: "7", format: "pt" }), "a.safetensors");
  assert.deepEqual(Object.fromEntries(content.tensors), Object.fromEntries(tensors));
  assert.deepEqual(content.metadata, { format: "pt", step: "7" });
});

void test("the bytes are those of the format: length, header padded to 8, tensors end to end", () => {
  const file = fileOf([["w", { dtype: "F32", shape: [1], data: Float32Array.of(1) }]]);
  const header = '{"__metadata__":{},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  assert.equal(file.readBigUInt64LE(0), 72n);
  assert.equal(file.subarray(8, 80).toString(), header.padEnd(72));
  assert.deepEqual([...file.subarray(80)], [0, 0, 0x80, 0x3f]);
});

void test("the order in which tensors and metadata are given does not change the bytes", () => {
  const reversed = new Map([...tensors].reverse());
  assert.deepEqual(fileOf(reversed, { b: "2", a: "1" }), fileOf(tensors, { a: "1", b: "2" }));
});

void test("a tensor is a view of the file, not a copy, also behind tensors of odd lengths", () => {
  const file = fileOf(tensors);
  const read = decodeSafetensors(file, "a.safetensors").tensors;
  for (const [name, { data }] of read) assert.equal(data.buffer, file.buffer, name);
});

void test("a tensor that lies across its alignment is read all the same", () => {
  const header =
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}';
  const file = Buffer.concat([crafted(header, 1), Buffer.from(Float32Array.of(2.5).buffer)]);
  assert.deepEqual(decodeSafetensors(file, "a").tensors.get("b")?.data, Float32Array.of(2.5));
});

void test("encoding yields the header and then each tensor's own memory: nothing is joined", () => {
  const [header, ...parts] = encodeSafetensors(new Map([["weight", weight]]));
  assert.equal(header?.length, 8 + 80);
  assert.equal(parts[0]?.buffer, weight.data.buffer);
});

void test("names that an object would reorder or lose keep their tensors", () => {
  const file = fileOf(
    [
      ["10", mask],
      ["__proto__", weight],
      ["2", mask],
      ["\ud800", mask],
      ['a"\\:', mask],
    ],
    { ["__proto__"]: "x" },
  );
  const { tensors, metadata } = decodeSafetensors(file, "a");
  assert.deepEqual([...tensors.keys()], ["__proto__", "10", "2", 'a"\\:', "\ud800"]);
  assert.deepEqual(Object.entries(metadata), [["__proto__", "x"]]);
});

void test("writing refuses a shape that its data does not have, a name twice and a header nobody could read", () => {
  assert.throws(() => fileOf([["w", { ...weight, shape: [7] }]]), /w: 6 elements for the shape \[7\]/);
  assert.throws(
    () =>
      fileOf([
        ["w", weight],
        ["w", weight],
      ]),
    /w: two tensors of this name/,
  );
  assert.throws(() => fileOf([["__metadata__", weight]]), /two tensors of this name/);
  assert.throws(() => fileOf([["w", weight]], { note: "x".repeat(1024 * 1024) }), /at most 1048576 are read back/);
});

const entry = (begin: number, end: number, more = "") =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]${more}}`;
const one = (fields: string) => `{"a":{${fields}}}`;

for (const [fault, file, message] of [
  ["an empty file", Buffer.alloc(0), /0 bytes, too few/],
  ["seven bytes", Buffer.alloc(7), /7 bytes, too few/],
  ["a length of 2^63", Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x80]), /a header of 9223372036854775808 bytes; the limit/],
  ["a length of 2^64 - 1", Buffer.alloc(8, 0xff), /the limit is 1048576/],
  ["a header of 1 MiB and a byte", crafted("{}".padEnd(1024 * 1024 + 1)), /the limit is 1048576/],
  ["a length beyond the file", Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0x7b]), /9 bytes in a file that holds 1 more/],
  ["an empty header", crafted(""), /does not begin with \{/],
  ["a space before the header", crafted(" {}"), /does not begin with \{/],
  ["a byte order mark", crafted("\ufeff{}"), /does not begin with \{/],
  ["an array", crafted("[]"), /does not begin with \{/],
  ["a number", crafted("1"), /does not begin with \{/],
  ["half of a header", crafted('{"a":'), /not JSON/],
  ["a zero byte behind the header", crafted("{}\0"), /not JSON/],
  ["bytes that are not UTF-8", crafted(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), /not UTF-8/],
  ["an entry that is a number", crafted('{"a":1}'), /"a" is not an object/],
  ["an entry that is a list", crafted('{"a":[]}'), /"a" is not an object/],
  ["an entry that is null", crafted('{"a":null}'), /"a" is not an object/],
  ["an unknown field", crafted(`{"a":${entry(0, 1, ',"x":1')}}`, 1), /"a" has the unknown field "x"/],
  [
    "no dtype",
    crafted(one('"shape":[],"data_offsets":[0,1]'), 1),
    /no known dtype; known are F64, F32, I64, I32, F16, BF16, U8/,
  ],
  ["an unknown dtype", crafted(one('"dtype":"F8","shape":[1],"data_offsets":[0,1]'), 1), /no known dtype/],
  [
    "a dtype from the prototype",
    crafted(one('"dtype":"toString","shape":[1],"data_offsets":[0,1]'), 1),
    /no known dtype/,
  ],
  ["no shape", crafted(one('"dtype":"U8","data_offsets":[0,1]'), 1), /not a list of counts/],
  ["a negative length", crafted(one('"dtype":"U8","shape":[-1],"data_offsets":[0,1]'), 1), /not a list of counts/],
  ["a fractional length", crafted(one('"dtype":"U8","shape":[0.5],"data_offsets":[0,1]'), 1), /not a list of counts/],
  [
    "a length beyond exact integers",
    crafted(one('"dtype":"U8","shape":[1e300],"data_offsets":[0,1]'), 1),
    /list of counts/,
  ],
  [
    "a product beyond exact integers",
    crafted(one('"dtype":"U8","shape":[9e15,9e15],"data_offsets":[0,1]'), 1),
    /ask for NaN/,
  ],
  [
    "a product of zero times infinity",
    crafted(one('"dtype":"U8","shape":[9e15,9e300,0],"data_offsets":[0,0]')),
    /list of counts/,
  ],
  ["a text as length", crafted(one('"dtype":"U8","shape":["1"],"data_offsets":[0,1]'), 1), /not a list of counts/],
  ["one offset", crafted(one('"dtype":"U8","shape":[1],"data_offsets":[0]'), 1), /not two offsets/],
  ["three offsets", crafted(one('"dtype":"U8","shape":[1],"data_offsets":[0,1,1]'), 1), /not two offsets/],
  ["a negative offset", crafted(one('"dtype":"U8","shape":[1],"data_offsets":[-1,0]'), 1), /not two offsets/],
  [
    "offsets in the wrong order",
    crafted(one('"dtype":"U8","shape":[1],"data_offsets":[1,0]'), 1),
    /-1 bytes, .* ask for 1/,
  ],
  [
    "too few bytes for the shape",
    crafted(one('"dtype":"F32","shape":[2],"data_offsets":[0,4]'), 4),
    /4 bytes, .* ask for 8/,
  ],
  ["a hole at the start", crafted(`{"a":${entry(1, 2)}}`, 2), /"a" begins at 1, the tensor before it ends at 0/],
  [
    "a hole between",
    crafted(`{"a":${entry(0, 1)},"b":${entry(2, 3)}}`, 3),
    /"b" begins at 2, the tensor before it ends at 1/,
  ],
  [
    "an overlap",
    crafted(`{"a":${entry(0, 2)},"b":${entry(1, 3)}}`, 3),
    /"b" begins at 1, the tensor before it ends at 2/,
  ],
  [
    "one place for two",
    crafted(`{"a":${entry(0, 1)},"b":${entry(0, 1)}}`, 1),
    /"b" begins at 0, the tensor before it ends at 1/,
  ],
  ["bytes behind the last tensor", crafted(`{"a":${entry(0, 1)}}`, 2), /take 1 bytes, 2 follow/],
  ["a tensor cut off", crafted(`{"a":${entry(0, 3)}}`, 2), /take 3 bytes, 2 follow/],
  ["offsets far beyond the file", crafted(`{"a":${entry(0, 2 ** 50)}}`, 2), /take 1125899906842624 bytes, 2 follow/],
  ["a name twice", crafted(`{"a":${entry(0, 1)},"a":${entry(0, 1)}}`, 1), /a key stands twice/],
  ["a name twice, once escaped", crafted(`{"a":${entry(0, 1)},"\\u0061":${entry(0, 1)}}`, 1), /a key stands twice/],
  ["a field twice", crafted(`{"a":${entry(0, 1, ',"dtype":"U8"')}}`, 1), /a key stands twice/],
  ["metadata twice", crafted('{"__metadata__":{},"__metadata__":{}}'), /a key stands twice/],
  ["a key of the metadata twice", crafted('{"__metadata__":{"a":"1","a":"1"}}'), /a key stands twice/],
  ["metadata that is a text", crafted('{"__metadata__":"a"}'), /__metadata__ is not an object/],
  ["a number in the metadata", crafted('{"__metadata__":{"step":7}}'), /"step" is not a string/],
  [
    "nesting as deep as the header is long",
    crafted(one(`"dtype":${"[".repeat(400_000)}${"]".repeat(400_000)}`)),
    /no known dtype/,
  ],
  ["a name as long as the header", crafted(`{"${"x".repeat(900_000)}":1}`), /"x{80}…" is not an object/],
] as const) {
  void test(`${fault} is refused as damage, by name`, () => {
    assert.throws(
      () => decodeSafetensors(file, "model.safetensors"),
      (error) => {
        assert.ok(error instanceof DataLoss, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.startsWith("model.safetensors: ") && error.message.length < 400);
        return true;
      },
    );
  });
}

void test("whatever the bytes: they are refused as damage, or written again they say the same", () => {
  const anyTensor = fc.constantFrom(...tensors.values());
  const entries = fc.uniqueArray(fc.tuple(fc.string(), anyTensor), { selector: ([name]) => name, maxLength: 4 });
  const damage = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 3 });
  const cut = fc.option(fc.nat(600));
  fc.assert(
    fc.property(entries, fc.dictionary(fc.string(), fc.string()), damage, cut, (list, metadata, bytes, length) => {
      fc.pre(list.every(([name]) => name !== "__metadata__"));
      const file = fileOf(list, metadata);
      for (const [position, byte] of bytes) if (position < file.length) file[position] = byte;
      checkReadOrRefused(length === null ? file : file.subarray(0, length));
    }),
    { numRuns: 20_000 },
  );
});

void test("random headers of the format's own words are refused as damage or read", () => {
  const words = '{ } [ ] , : "a" "dtype" "F32" "U8" "shape" "data_offsets" 0 4 1'.split(" ");
  const header = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((list) => `{${list.join("")}`),
    fc.json(),
  );
  fc.assert(
    fc.property(header, fc.nat(9), (text, dataBytes) => checkReadOrRefused(crafted(text, dataBytes))),
    { numRuns: 20_000 },
  );
});

function checkReadOrRefused(file: Buffer): void {
  try {
    const { tensors, metadata } = decodeSafetensors(file, "a");
    const again = decodeSafetensors(fileOf(tensors, metadata), "again");
    const byDtype = ([, a]: [string, { dtype: Dtype }]) => a.dtype;
    assert.deepEqual([...again.tensors].map(byDtype).sort(), [...tensors].map(byDtype).sort());
    for (const [name, tensor] of tensors) assert.deepEqual(again.tensors.get(name), tensor);
    assert.deepEqual(again.metadata, metadata);
  } catch (error) {
    if (!(error instanceof DataLoss)) throw error;
  }
}
