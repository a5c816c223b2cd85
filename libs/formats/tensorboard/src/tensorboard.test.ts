/** Event files: their frame by published values, their records as any protobuf reader finds them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";
import { EventEncoder, framed } from "./index.ts";

/** Fields of a message by number, length-delimited ones as bytes; the last one wins. */
function fieldsOf(message: Uint8Array): Map<number, unknown> {
  const reader = new BinaryReader(message);
  const fields = new Map<number, unknown>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.Bit64) fields.set(number, reader.double());
    else if (type === WireType.Bit32) fields.set(number, reader.float());
    else if (type === WireType.Varint) fields.set(number, Number(reader.int64()));
    else fields.set(number, reader.bytes());
  }
  return fields;
}

/** The message in a field within a field. */
function inside(message: Uint8Array, ...path: readonly number[]): Map<number, unknown> {
  return path.reduce((fields, number) => fieldsOf(fields.get(number) as Uint8Array), fieldsOf(message));
}

const textOf = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);

test("the checksum is the one of RFC 3720: its vectors, and of any length the same as bit by bit", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  const bitByBit = (bytes: Uint8Array) => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
    return (crc ^ 0xffffffff) >>> 0;
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => assert.equal(crc32c(bytes), bitByBit(bytes))));
});

test("a frame is length, its masked checksum, the record and its masked checksum", () => {
  const frame = framed(new TextEncoder().encode("123456789"));
  assert.deepEqual([...frame.subarray(0, 8)], [9, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(textOf(frame.subarray(12, 21)), "123456789");
  // 0xe3069283 turned right by 15 bits is 0x2507c60d; with 0xa282ead8 it is 0xc78ab0e5
  assert.equal(new DataView(frame.buffer).getUint32(21, true), 0xc78ab0e5);
  assert.equal(frame.length, 25);
});

test("a scalar is the nearest float at its step and time; no finite number becomes infinite", () => {
  const encoder = new EventEncoder();
  const record = encoder.scalars({ wallTime: 1.5, step: 7n }, [["train/loss", 0.1]]);
  assert.deepEqual([fieldsOf(record).get(1), fieldsOf(record).get(2)], [1.5, 7]);
  const value = inside(record, 5, 1);
  assert.deepEqual([textOf(value.get(1)), value.get(2)], ["train/loss", Math.fround(0.1)]);
  const kept = (given: number) => inside(encoder.scalars({ wallTime: 1, step: 1n }, [["a", given]]), 5, 1).get(2);
  assert.deepEqual(
    [kept(1e300), kept(Number.POSITIVE_INFINITY), kept(Number.NaN)],
    [3.4028234663852886e38, Infinity, NaN],
  );
});

test("what a tag is, is said at its first appearance only", () => {
  const encoder = new EventEncoder();
  const [first, second] = [1n, 2n].map((step) => inside(encoder.text({ wallTime: 1, step }, "log", "a"), 5, 1));
  assert.deepEqual([first?.has(9), second?.has(9)], [true, false]);
});

test("a file begins with its version; a text is a text; a run says its settings and how it ended", () => {
  const encoder = new EventEncoder();
  assert.equal(textOf(fieldsOf(encoder.fileBegins(1)).get(3)), "brain.Event:2");
  const text = encoder.text({ wallTime: 1, step: 2n }, "log", "# 中文");
  assert.equal(textOf(inside(text, 5, 1, 8).get(8)), "# 中文");
  assert.equal(textOf(inside(text, 5, 1, 9, 1).get(1)), "text");
  const begin = encoder.runBegins(
    3,
    new Map<string, number | boolean>([
      ["training.learning_rate", 2e-4],
      ["moe", false],
    ]),
    "a",
  );
  const start = inside(begin, 5, 1, 9, 1, 2, 3);
  assert.deepEqual([textOf(start.get(4)), start.get(5)], ["a", 3]);
  assert.equal(inside(begin, 5, 1, 9, 1, 2, 3, 1, 2).get(4), 0); // the last setting: false
  const end = inside(encoder.runEnds(4, "succeeded"), 5, 1, 9, 1, 2, 4);
  assert.deepEqual(
    [...end],
    [
      [1, 1],
      [2, 4],
    ],
  );
});
