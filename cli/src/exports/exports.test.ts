/** What other programs find of an experiment: every number as it was, every text whole, and a long run in pieces. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { temporaryDirectory } from "@pretrain/testing";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { exampleRun } from "../test-support/example-run.ts";
import { writeCsvFiles } from "./csv-files.ts";
import { experimentSource } from "./experiment-source.ts";
import { evaluationMetrics, memoryMetrics, stepMetrics } from "./metric-values.ts";
import { writeParquetFiles } from "./parquet-files.ts";
import { writeTensorboardFiles } from "./tensorboard-files.ts";
import { writeWandbFiles } from "./wandb-files.ts";

const { signal } = new AbortController();
/** More steps than an answer of QueryMetrics has buckets. */
const run = exampleRun({ microSteps: 10_007, missing: [4_999n, 5_000n, 5_001n] });
const source = await experimentSource(run.reports, "experiments/1-4-0", signal);

test("the curves are those of the report service's README", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../../services/report/README.md"), "utf8");
  const listed = [...readme.matchAll(/^\| `([a-z0-9/_]+)` \| [^|]+ \| (?:micro|optimizer|memory|evaluated)/gm)];
  const exported = [...Object.keys(stepMetrics), ...memoryMetrics, ...evaluationMetrics];
  assert.deepEqual(new Set(exported), new Set(listed.map(([, name]) => name)));
});

test("CSV: a row a micro-step, a number is read back as the same number, a text with its quotes and line ends", async (t) => {
  const folder = temporaryDirectory(t);
  const files = await writeCsvFiles(source, folder);
  assert.deepEqual(
    files.map(({ name, rows }) => [name, rows]),
    [
      ["steps.csv", 10_005],
      ["evaluations.csv", 3],
      ["samples.csv", 3],
      ["log.csv", 1],
      ["recipe.csv", 9],
    ],
  );
  const steps = readCsv(readFileSync(join(folder, "steps.csv"), "utf8"));
  const [header = [], ...all] = steps;
  const cell = (row: readonly string[] | undefined, name: string) => row?.[header.indexOf(name)] ?? "?";
  const rows = all.filter((row) => cell(row, "loss_nats") !== ""); // one is of a sample behind a missing step
  for (const [index, { microStep, lossNats, lossTokens, gradientNorm }] of run.steps.entries()) {
    assert.equal(cell(rows[index], "micro_step"), String(microStep));
    assert.equal(Number(cell(rows[index], "loss_nats")), lossNats);
    assert.equal(Number(cell(rows[index], "train/loss")), lossNats / Number(lossTokens));
    assert.equal(cell(rows[index], "train/grad_norm"), gradientNorm === undefined ? "" : String(gradientNorm));
  }
  assert.equal(cell(rows[9], "memory/rss_bytes"), "1000010");
  assert.equal(cell(rows[0], "time"), "2026-05-04T03:02:02.000Z");
  const samples = readCsv(readFileSync(join(folder, "samples.csv"), "utf8"));
  assert.equal(samples[1]?.[4], run.awkwardText);
  assert.ok(
    readCsv(readFileSync(join(folder, "recipe.csv"), "utf8")).some(
      (row) => row.join() === "training.learning_rate,0.0002",
    ),
  );
});

test("Parquet: doubles to the last bit, whole numbers whole, times as times, nothing where nothing was measured", async (t) => {
  const folder = temporaryDirectory(t);
  await writeParquetFiles(source, folder);
  const all = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, "steps.parquet")) });
  const rows = all.filter((row) => row["loss_nats"] !== null);
  assert.equal(rows.length, run.steps.length);
  for (const [index, { microStep, lossNats, lossTokens, clipScale, time }] of run.steps.entries()) {
    const row = rows[index] ?? {};
    assert.equal(row["micro_step"], microStep);
    assert.ok(Object.is(row["loss_nats"], lossNats) && Object.is(row["train/loss"], lossNats / Number(lossTokens)));
    assert.equal(row["train/clip_scale"] ?? undefined, clipScale);
    assert.equal(Number(row["time"]), Number(time?.seconds) * 1000);
  }
  assert.deepEqual([rows[8]?.["memory/rss_bytes"], rows[9]?.["memory/rss_bytes"]], [null, 1_000_010]);
  const [sample] = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, "samples.parquet")) });
  assert.equal(sample?.["predicted_text"], run.awkwardText);
});

test("TensorBoard: each value at its step and time; what was sampled behind a missing step is there too", async (t) => {
  const folder = temporaryDirectory(t);
  const [file] = await writeTensorboardFiles(source, folder);
  assert.equal(file?.name, "events.out.tfevents.1777863600.pretrain.1-4-0");
  const events = readEvents(readFileSync(join(folder, file.name)));
  assert.equal(events.length, file.rows);
  const losses = events.flatMap(({ step, values }) =>
    values.has("train/loss") ? [[step, values.get("train/loss")]] : [],
  );
  assert.deepEqual(
    losses,
    run.steps.map(({ microStep, lossNats, lossTokens }) => [
      Number(microStep),
      Math.fround(lossNats / Number(lossTokens)),
    ]),
  );
  const sampled = events.find(({ step, values }) => step === 5_000 && values.has("memory/rss_bytes"));
  assert.equal(sampled?.values.get("memory/rss_bytes"), 1_005_000);
  assert.equal(sampled.values.has("train/loss"), false);
  assert.deepEqual(
    events.flatMap(({ step, values }) => (values.has("eval/loss") ? [[step, values.get("eval/loss")]] : [])),
    [
      [40, 2.5],
      [10_005, 2.375], // one bucket with the next, and yet each of them
      [10_006, 2.25],
    ],
  );
  assert.ok(events.some(({ values }) => String(values.get("samples/3")).includes("    给定")));
});

test("Weights & Biases: each value as it was, at its step; what was generated from a checkpoint at the checkpoint's", async (t) => {
  const folder = temporaryDirectory(t);
  const [file] = await writeWandbFiles(source, folder);
  assert.equal(file?.name, "offline-run-20260504_030000-1-4-0/run-1-4-0.wandb");
  const history = readHistory(readFileSync(join(folder, file.name)));
  assert.equal(history.size, file.rows);
  for (const { microStep, lossNats, lossTokens, gradientNorm } of run.steps) {
    const values = history.get(Number(microStep));
    assert.equal(values?.get("train/loss"), lossNats / Number(lossTokens));
    assert.equal(values.get("train/grad_norm"), gradientNorm);
  }
  assert.equal(history.get(5_000)?.get("memory/rss_bytes"), 1_005_000);
  assert.deepEqual(
    [...history].flatMap(([step, values]) => (values.has("samples/3") ? [[step, values.get("samples/3")]] : [])),
    [
      [40, run.awkwardText],
      [10_005, run.awkwardText],
      [10_006, run.awkwardText],
    ],
  );
});

test("an experiment without a step is files without rows, and one event file with its settings", async (t) => {
  const empty = await experimentSource(exampleRun({ microSteps: 0, missing: [] }).reports, "experiments/1-4-0", signal);
  const folder = temporaryDirectory(t);
  const [steps] = await writeParquetFiles(empty, folder);
  assert.equal(steps?.rows, 0);
  assert.deepEqual(await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, "steps.parquet")) }), []);
});

test("equal experiments give equal bytes", async (t) => {
  const short = await experimentSource(
    exampleRun({ microSteps: 100, missing: [7n] }).reports,
    "experiments/1-4-0",
    signal,
  );
  const [one, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  for (const write of [writeTensorboardFiles, writeCsvFiles, writeParquetFiles, writeWandbFiles]) {
    const names = (await write(short, one)).map(({ name }) => name);
    await write(short, other);
    for (const name of names) assert.ok(readFileSync(join(one, name)).equals(readFileSync(join(other, name))), name);
  }
});

/** RFC 4180, by its grammar. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

interface ReadEvent {
  readonly step: number;
  readonly values: ReadonlyMap<string, number | string>;
}

function readEvents(file: Uint8Array): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = new DataView(file.buffer, file.byteOffset + at).getUint32(0, true);
    events.push(readEvent(file.subarray(at + 12, at + 12 + length)));
    at += length + 16;
  }
  return events;
}

function readEvent(record: Uint8Array): ReadEvent {
  let step = 0;
  const values = new Map<string, number | string>();
  for (const [field, content] of fieldsOf(record)) {
    if (field === 2) step = Number(content);
    if (field === 5) for (const [, value] of fieldsOf(content as Uint8Array)) addValue(value as Uint8Array, values);
  }
  return { step, values };
}

function addValue(value: Uint8Array, values: Map<string, number | string>): void {
  const fields = new Map(fieldsOf(value));
  const number = fields.get(2);
  const textOf = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array | undefined);
  const tensor = new Map(fieldsOf((fields.get(8) as Uint8Array | undefined) ?? new Uint8Array()));
  values.set(textOf(fields.get(1)), typeof number === "number" ? number : textOf(tensor.get(8)));
}

/** Of each step the values by name. The parts of a record follow each other; where no head fits into a block there are zeros. */
function readHistory(log: Uint8Array): Map<number, Map<string, unknown>> {
  const history = new Map<number, Map<string, unknown>>();
  const view = new DataView(log.buffer, log.byteOffset);
  let record: number[] = [];
  for (let at = 7; at < log.length; ) {
    const left = 32_768 - (at % 32_768);
    if (left >= 7) {
      const [length, type] = [view.getUint16(at + 4, true), view.getUint8(at + 6)];
      record.push(...log.subarray(at + 7, at + 7 + length));
      if (type === 1 || type === 4) {
        for (const [field, content] of fieldsOf(Uint8Array.from(record)))
          if (field === 2) history.set(...historyOf(fieldsOf(content as Uint8Array)));
        record = [];
      }
      at += 7 + length;
    } else at += left;
  }
  return history;
}

function historyOf(fields: [number, unknown][]): [number, Map<string, unknown>] {
  const items = fields.filter(([field]) => field === 1).map(([, item]) => new Map(fieldsOf(item as Uint8Array)));
  const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);
  const values = new Map(items.map((item) => [text(item.get(2)), JSON.parse(text(item.get(16)))]));
  return [values.get("_step"), values];
}

function fieldsOf(message: Uint8Array): [number, unknown][] {
  const reader = new BinaryReader(message);
  const fields: [number, unknown][] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.Bit64) fields.push([number, reader.double()]);
    else if (type === WireType.Bit32) fields.push([number, reader.float()]);
    else if (type === WireType.Varint) fields.push([number, reader.int64()]);
    else fields.push([number, reader.bytes()]);
  }
  return fields;
}
