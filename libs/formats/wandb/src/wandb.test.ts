/** The log of a run: its blocks as any reader of the format cuts them, its records as any protobuf reader finds them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { RunLog } from "./index.ts";
import { LogBlocks } from "./log-blocks.ts";

const blockBytes = 32_768;

/** The records of a log, put together from their parts; every checksum, type and padding is looked at. */
function recordsOf(log: Uint8Array): Uint8Array[] {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  assert.deepEqual([...log.subarray(0, 7)], [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0]);
  const records: Uint8Array[] = [];
  let open: Uint8Array[] | undefined;
  for (let at = 7; at < log.length; ) {
    const left = blockBytes - (at % blockBytes);
    if (left < 7) {
      assert.ok(log.subarray(at, at + left).every((byte) => byte === 0));
      at += left;
      continue;
    }
    const [checksum, length, type] = [view.getUint32(at, true), view.getUint16(at + 4, true), view.getUint8(at + 6)];
    assert.ok(7 + length <= left, "a part lies in one block");
    assert.equal(checksum, crc32(log.subarray(at + 6, at + 7 + length)));
    assert.equal(open === undefined, type === 1 || type === 2, "a record begins where none is open");
    open = [...(open ?? []), log.subarray(at + 7, at + 7 + length)];
    if (type === 1 || type === 4) {
      records.push(Buffer.concat(open));
      open = undefined;
    }
    at += 7 + length;
  }
  assert.equal(open, undefined);
  return records;
}

test("records of any length come back whole, over the ends of blocks and where no head fits any more", () => {
  const nearTheEnd = fc.integer({ min: blockBytes - 30, max: blockBytes + 5 });
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 70 }), nearTheEnd, fc.constant(100_000)), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(lengths, (all) => {
      const blocks = new LogBlocks();
      const records = all.map((length, index) => new Uint8Array(length).fill(index + 1));
      const log = Buffer.concat([blocks.header(), ...records.map((record) => blocks.framed(record))]);
      assert.deepEqual(
        recordsOf(log).map((record) => Buffer.from(record)),
        records.map((record) => Buffer.from(record)),
      );
    }),
    // file header and head before it: seven bytes, room for one more head and no data, are left in the block; then six
    { numRuns: 60, examples: [[[blockBytes - 21, 10]], [[blockBytes - 20, 10]]] },
  );
});

test("a run begins with its settings, has its values at their steps, and ends", () => {
  const log = new RunLog();
  const config = new Map([["training.learning_rate", 2e-4]]);
  const records = recordsOf(
    Buffer.concat([
      log.begins({ id: "1-4-0", project: "pretrain", title: "1.4.0", notes: "基线", config, startMs: 10_500 }),
      log.history(7n, 12_000, [
        ["train/loss", 0.1],
        ["eval/loss", Number.NaN],
        ["samples/3", 'a "b"'],
      ]),
      log.summary([["train/loss", 0.1]]),
      log.output(12_000, "slow"),
      log.ends(20_500, true),
    ]),
  ).map(fieldsOf);
  assert.deepEqual(
    records.map((fields) => fields.map(([number]) => number)),
    [
      [1, 21],
      [1, 17],
      [1, 2],
      [1, 3],
      [1, 13],
      [1, 18],
    ],
  );
  assert.deepEqual(
    records.map(([number]) => number?.[1]),
    [1, 2, 3, 4, 5, 6],
  );
  const run = fieldsOf(contentOf(records[1], 17));
  assert.deepEqual(
    [1, 3, 8, 9].map((field) => textOf(contentOf(run, field))),
    ["1-4-0", "pretrain", "1.4.0", "基线"],
  );
  assert.deepEqual(fieldsOf(contentOf(run, 17)), [
    [1, 10],
    [2, 500_000_000],
  ]);
  assert.deepEqual(itemsOf(contentOf(run, 4), 1), { "training.learning_rate": "0.0002" });
  const history = contentOf(records[2], 2);
  assert.deepEqual(itemsOf(history, 2), {
    "train/loss": "0.1",
    "eval/loss": '"NaN"',
    "samples/3": '"a \\"b\\""',
    _step: "7",
    _timestamp: "12",
    _runtime: "1.5",
  });
  assert.deepEqual(fieldsOf(contentOf(fieldsOf(history), 2)), [[1, 7]]);
  assert.deepEqual(fieldsOf(contentOf(records[5], 18)), [
    [1, 0],
    [2, 10],
  ]);
});

type Fields = [number, number | Uint8Array][];

function fieldsOf(message: Uint8Array): Fields {
  const reader = new BinaryReader(message);
  const fields: Fields = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    fields.push([number, type === WireType.Varint ? Number(reader.int64()) : reader.bytes()]);
  }
  return fields;
}

function contentOf(fields: Fields | undefined, number: number): Uint8Array {
  const found = fields?.find(([field]) => field === number)?.[1];
  assert.ok(found instanceof Uint8Array, `field ${number} is there`);
  return found;
}

/** Names with their values as JSON. */
function itemsOf(record: Uint8Array, keyField: number): Record<string, string> {
  const items = fieldsOf(record).flatMap(([field, item]) =>
    field === 1 && item instanceof Uint8Array ? [fieldsOf(item)] : [],
  );
  return Object.fromEntries(items.map((item) => [textOf(contentOf(item, keyField)), textOf(contentOf(item, 16))]));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
