import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BrokenFrame, FrameReader, FrameWriter } from "./frames.ts";

const message = fc.record(
  { kind: fc.string(), values: fc.float32Array({ maxLength: 50 }) },
  { noNullPrototype: true }, // V8 gives back plain objects
);
const messages = fc.array(message, { maxLength: 5 });

/** The bytes in pieces of the given sizes, in turn. */
function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let [start, turn] = [0, 0]; start < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

function readAll(reader: FrameReader, all: Iterable<Buffer>): unknown[] {
  return [...all].flatMap((piece) => [...reader.read(piece)]);
}

test("messages come out as they went in, however the pipe cuts them", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(messages, sizes, (sent, cuts) => {
      const writer = new FrameWriter();
      const bytes = Buffer.concat(sent.map((message) => writer.frame(message)));
      assert.deepEqual(readAll(new FrameReader(), pieces(bytes, cuts)), sent);
    }),
  );
});

test("bytes that were damaged, lost or put between are a broken frame or a message, never another error", () => {
  const damage = fc.record({ at: fc.nat(), cut: fc.nat({ max: 20 }), put: fc.uint8Array({ maxLength: 20 }) });
  fc.assert(
    fc.property(messages, damage, (sent, { at, cut, put }) => {
      const writer = new FrameWriter();
      const bytes = Buffer.concat([...sent, { kind: "last" }].map((message) => writer.frame(message)));
      const start = at % bytes.length;
      const damaged = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
      try {
        readAll(new FrameReader(), [damaged]);
      } catch (error) {
        assert.ok(error instanceof BrokenFrame, String(error));
      }
    }),
    { numRuns: 10_000 },
  );
});

for (const [claim, bytes, words] of [
  [
    "what begins with other bytes is no message",
    Buffer.from("Segmentation fault\n"),
    /bytes that are no message: 5365/,
  ],
  ["a length above 64 MiB is refused before a byte of it is held", header(0, 2 ** 26 + 1), /67108865 bytes/],
  ["a message that is not the next one is refused", header(1, 4), /message 1 where 0 is the next/],
  ["content that V8 cannot read is refused", Buffer.concat([header(0, 4), Buffer.alloc(4)]), /cannot be read/],
] as const) {
  test(claim, () => {
    assert.throws(
      () => readAll(new FrameReader(), [bytes]),
      (error) => error instanceof BrokenFrame && words.test(error.message),
    );
  });
}

function header(number: number, length: number): Buffer {
  const bytes = Buffer.from("PTWP0000****");
  bytes.writeUInt32BE(number, 4);
  bytes.writeUInt32BE(length, 8);
  return bytes;
}

test("a message above 64 MiB is not sent", () => {
  assert.throws(() => new FrameWriter().frame(new Uint8Array(2 ** 26)), RangeError);
});
