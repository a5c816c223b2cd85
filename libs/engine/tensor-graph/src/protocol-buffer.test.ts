/** Bytes written by hand from the description of the format (protobuf.dev/programming-guides/encoding). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Message } from "./protocol-buffer.ts";

test("a number is seven bits a byte, the lowest first", () => {
  assert.equal(new Message(Uint8Array.of(0x08, 0x96, 0x01)).number(1), 150); // the documentation's first example
  const largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]; // 7 x 7 + 4 bits, all of them 1
  assert.equal(new Message(Uint8Array.from([0x18, ...largest])).number(3), Number.MAX_SAFE_INTEGER);
});

test("a text, and messages within a message, each in order", () => {
  const text = [0x12, 0x07, ...new TextEncoder().encode("testing")];
  const message = new Message(Uint8Array.from([...text, 0x1a, 0x02, 0x08, 0x05, 0x1a, 0x02, 0x08, 0x06]));
  assert.equal(message.text(2), "testing");
  assert.deepEqual(
    message.messages(3).map((inner) => inner.number(1)),
    [5, 6],
  );
});

test("of a field that is given twice the last one counts, and one that is absent is 0 or empty", () => {
  const message = new Message(Uint8Array.of(0x08, 0x01, 0x08, 0x02));
  assert.equal(message.number(1), 2);
  assert.equal(message.number(2), 0);
  assert.equal(message.text(2), "");
  assert.deepEqual(message.messages(2), []);
});

test("fields of four and eight bytes are passed over, in a part of a larger buffer too", () => {
  const fields = [0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 0x07];
  assert.equal(new Message(Uint8Array.from([9, 9, ...fields]).subarray(2)).number(3), 7);
});

test("bytes that end too early, or are of a kind that is not known, are refused", () => {
  assert.throws(() => new Message(Uint8Array.of(0x08)), RangeError);
  assert.throws(() => new Message(Uint8Array.of(0x12, 0x05, 0x61)), {
    message: "a field of 5 bytes ends behind the message",
  });
  assert.throws(() => new Message(Uint8Array.of(0x0b)), { message: "field 1 is of the unknown kind 3" });
});
