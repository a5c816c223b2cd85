import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { decodeLosses, encodeLosses, type KeptLosses, type RowLosses, readLosses, writeLosses } from "./index.ts";

const origin = {
  datasetSha256: "da".repeat(32),
  tokenizerSha256: "70".repeat(32),
  checkpointSha256: "c0".repeat(32),
  context: 512,
  stride: 256,
  markerRule: "bos_given_eos_scored",
};
const row = (rowId: number, targets: readonly (readonly [token: number, nats: number, top1: 0 | 1])[]): RowLosses => ({
  rowId,
  tokens: Int32Array.from(targets, ([token]) => token),
  nats: Float32Array.from(targets, ([, nats]) => nats),
  top1: Uint8Array.from(targets, ([, , top1]) => top1),
});
const three: KeptLosses = {
  origin,
  rows: [
    row(3, [
      [52, 1.5, 0],
      [17, 0.25, 1],
    ]),
    row(7, []),
    row(8, [
      [4, 3.125, 0],
      [9, 0.75, 1],
      [2, 2, 0],
    ]),
  ],
};
const fileOf = (losses: KeptLosses) => Buffer.concat([...encodeLosses(losses)]);
const where = { experiment: "tiny", evaluation: "tiny-8" };

test("the file holds three lists of five targets, and where each row begins in them", () => {
  const { tensors, metadata } = decodeSafetensors(fileOf(three), "losses");
  const lists = Object.fromEntries([...tensors].map(([name, { dtype, data }]) => [name, [dtype, ...data]]));
  assert.deepEqual(lists, {
    row_ids: ["I64", 3n, 7n, 8n],
    row_offsets: ["I64", 0n, 2n, 2n, 5n],
    tokens: ["I32", 52, 17, 4, 9, 2],
    nats: ["F32", 1.5, 0.25, 3.125, 0.75, 2],
    top1: ["U8", 0, 1, 0, 1, 0],
  });
  assert.deepEqual([metadata["context"], metadata["marker_rule"]], ["512", "bos_given_eos_scored"]);
});

test("whatever was written is what is read, to the bit", async (t) => {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const target = fc.tuple(fc.nat(65_535), fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, 1));
  const rows = fc.array(fc.array(target, { maxLength: 5 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(rows, async (targets) => {
      const losses = { origin, rows: targets.map((each, index) => row(3 * index, each)) };
      assert.deepEqual(await readLosses(blobs, await writeLosses(blobs, where, losses)), losses);
    }),
    { numRuns: 30, seed: 1 },
  );
});

test("writing again is the same blob; other losses of the same evaluation are another one, and both stay readable", async (t) => {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const first = await writeLosses(blobs, where, three);
  assert.deepEqual(await writeLosses(blobs, where, three), first);
  const other = await writeLosses(blobs, where, { origin, rows: three.rows.slice(1) });
  assert.notEqual(other.blob, first.blob);
  assert.deepEqual(
    [(await readLosses(blobs, first)).rows.length, (await readLosses(blobs, other)).rows.length],
    [3, 2],
  );
  assert.match(first.blob, /^experiments\/tiny\/evaluations\/tiny-8\/losses-[0-9a-f]{16}\.safetensors$/);
});

test("a byte that changed, and a file that is gone, are errors that name the blob", async (t) => {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const file = await writeLosses(blobs, where, three);
  const bytes = Buffer.from(await blobs.read(file.blob));
  bytes[bytes.length - 1] = 1;
  await blobs.put(file.blob, bytes);
  await assert.rejects(
    readLosses(blobs, file),
    (error) => error instanceof DataLoss && error.message.includes(file.blob),
  );
  await blobs.delete(file.blob);
  await assert.rejects(readLosses(blobs, file), NotFound);
});

const damage: readonly (readonly [string, Record<string, StoredTensor>, RegExp])[] = [
  ["losses as bytes", { nats: { dtype: "U8", shape: [0], data: new Uint8Array() } }, /nats is not a list of F32/],
  ["too few offsets", { row_offsets: i64(0n, 5n) }, /2 offsets for 3 rows/],
  ["offsets that go back", { row_offsets: i64(0n, 3n, 2n, 5n) }, /do not lead from 0 to its 5 losses/],
  ["offsets that begin later", { row_offsets: i64(1n, 2n, 2n, 5n) }, /do not lead from 0 to its 5 losses/],
  ["offsets that end before", { row_offsets: i64(0n, 2n, 2n, 4n) }, /do not lead from 0 to its 5 losses/],
  ["fewer tokens", { tokens: { dtype: "I32", shape: [1], data: Int32Array.of(5) } }, /5 losses for 1 tokens/],
  ["a row twice", { row_ids: i64(3n, 7n, 3n) }, /a row stands in it twice/],
  ["a row below 0", { row_ids: i64(3n, 7n, -1n) }, /no index/],
  ["a loss that is NaN", { nats: { dtype: "F32", shape: [5], data: new Float32Array(5).fill(Number.NaN) } }, /finite/],
  ["a mark of 2", { top1: { dtype: "U8", shape: [5], data: new Uint8Array(5).fill(2) } }, /neither 0 nor 1/],
];
for (const [claim, tensors, message] of damage) {
  test(`${claim}: refused by name`, () => {
    const { tensors: whole, metadata } = decodeSafetensors(fileOf(three), "losses");
    const bytes = Buffer.concat([...encodeSafetensors(new Map([...whole, ...Object.entries(tensors)]), metadata)]);
    assert.throws(
      () => decodeLosses(bytes, "losses"),
      (error) => error instanceof DataLoss && message.test(error.message),
    );
  });
}

test("losses of unknown origin are refused", () => {
  const { tensors, metadata } = decodeSafetensors(fileOf(three), "losses");
  for (const [key, value, message] of [
    ["context", undefined, /no context/],
    ["stride", "-1", /stride .* not a count/],
  ] as const) {
    const { [key]: _, ...others } = metadata;
    const changed = value === undefined ? others : { ...others, [key]: value };
    assert.throws(() => decodeLosses(Buffer.concat([...encodeSafetensors(tensors, changed)]), "losses"), message);
  }
});

function i64(...values: bigint[]): StoredTensor {
  return { dtype: "I64", shape: [values.length], data: BigInt64Array.from(values) };
}
