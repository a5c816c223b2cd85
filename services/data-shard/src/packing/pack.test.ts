import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempDisposableSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { fromJsonString } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { type GoldenSet, goldenTest } from "@pretrain/golden";
import { type DatasetReport, DatasetReportSchema } from "@pretrain/proto";
import { openShards, type ShardedDataset } from "@pretrain/shards";
import { temporaryDirectory } from "@pretrain/testing";
import { loadTokenizer } from "@pretrain/tokenizer";
import type { Completion } from "../dataset/dataset-changes.ts";
import type { PackingRules } from "../dataset/dataset-identity.ts";
import type { SourceFile } from "../reading/source-file.ts";
import { pack } from "./pack.ts";
import { packInThread } from "./pack-in-thread.ts";
import { type PackJob, reportPart } from "./pack-job.ts";

const plainRules: PackingRules = {
  format: "jsonl",
  validationEvery: 0,
  trainVocabularySize: 300,
  maximumSequenceLength: 16,
  cut: "after_wrap",
  minimumRowCharacters: 0,
};

function sourceFile(named: string): SourceFile {
  const path = realpathSync(named); // as the service finds it: golden data may lie behind a link
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
  return { path, givenPath: path.slice(path.lastIndexOf("/") + 1), sha256, sizeBytes: statSync(path).size };
}

function written(folder: string, name: string, content: string | Uint8Array): SourceFile {
  writeFileSync(join(folder, name), content);
  return sourceFile(join(folder, name));
}

const jsonl = (...texts: readonly string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join("");

interface Packed {
  readonly result: Completion;
  readonly report: DatasetReport;
  readonly dataset: ShardedDataset;
  /** The rows of a split as text, markers shown. */
  readonly texts: (split: "train" | "validation") => Promise<string[]>;
}

/** Packs into a store below `root` and opens what was written. */
async function packed(
  root: string,
  job: Omit<PackJob, "datasetId" | "rules">,
  rules: Partial<PackingRules> = {},
): Promise<Packed> {
  const blobs = openBlobs(pathToFileURL(join(root, "blobs")).href);
  const whole: PackJob = { datasetId: "test", rules: { ...plainRules, ...rules }, ...job };
  const result = await pack(whole, blobs, () => undefined);
  const dataset = await openShards(blobs, "test", result.manifestSha256);
  const report = fromJsonString(DatasetReportSchema, Buffer.from(await dataset.readPart(reportPart)).toString());
  const tokenizer = loadTokenizer(await blobs.read(result.tokenizerKey));
  const texts = async (split: "train" | "validation") => {
    const rowIds = Array.from({ length: dataset.manifest.splits[split].rows }, (_, row) => row);
    return (await dataset.readRows(split, rowIds)).map((ids) => tokenizer.decode(ids));
  };
  return { result, report, dataset, texts };
}

interface AtLength {
  readonly rows_cut: number;
  readonly tokens_lost: number;
  readonly tokens_kept: number;
  readonly targets_with_loss: number;
  readonly padding_fraction: number;
  readonly padded_matrix_u16le_sha256: string;
}

interface Manifest {
  readonly files: Readonly<
    Record<
      string,
      { readonly sha256: string; readonly rows: number; readonly text_utf8_bytes: number; readonly at_512: AtLength }
    >
  >;
}

const corpora = ["hongloumeng", "tinyshakespeare", "wikitext2-valid"];

for (const corpus of corpora) {
  const files = [`${corpus}.train.jsonl`, `${corpus}.valid.jsonl`, "manifest.json", "../tokenizer/tokenizer.json"];
  goldenTest("corpora", files, `the report of ${corpus} is the reference's at 512 tokens, number by number`, (set) =>
    compareWithReference(set, corpus),
  );
}

async function compareWithReference(set: GoldenSet, corpus: string): Promise<void> {
  using root = mkdtempDisposableSync(join(tmpdir(), "pretrain-test-"));
  const { report } = await packed(
    root.path,
    {
      train: sourceFile(set.path(`${corpus}.train.jsonl`)),
      validation: sourceFile(set.path(`${corpus}.valid.jsonl`)),
      tokenizer: sourceFile(set.path("../tokenizer/tokenizer.json")),
    },
    { maximumSequenceLength: 512, trainVocabularySize: 0 },
  );
  for (const [index, part] of ["train", "valid"].entries()) {
    const reference = set.json<Manifest>("manifest.json").files[`${corpus}.${part}.jsonl`];
    const found = report.splits[index];
    assert.ok(reference !== undefined && found !== undefined);
    assert.deepEqual(
      {
        rows: Number(found.rows),
        text_utf8_bytes: Number(found.textBytes),
        rows_cut: Number(found.rowsCut),
        tokens_lost: Number(found.tokensLost),
        tokens_kept: Number(found.tokens),
        targets_with_loss: Number(found.targets),
        padding_fraction: Number(found.paddingShare.toFixed(9)),
        padded_matrix_u16le_sha256: found.paddedIdsSha256,
      },
      { rows: reference.rows, text_utf8_bytes: reference.text_utf8_bytes, ...reference.at_512 },
    );
  }
  assert.equal(report.rowsAlreadyWrapped, report.rowsRead);
  assert.deepEqual([report.rejected, report.warnings], [[], []]);
}

goldenTest(
  "corpora",
  ["tinyshakespeare.txt"],
  "a plain text gives the rows of the JSONL files made from it, split alike",
  async (set) => {
    using root = mkdtempDisposableSync(join(tmpdir(), "pretrain-test-"));
    const { texts } = await packed(
      root.path,
      { train: sourceFile(set.path("tinyshakespeare.txt")), validation: undefined, tokenizer: undefined },
      { format: "text", minimumRowCharacters: 400, validationEvery: 20, maximumSequenceLength: 8192 },
    );
    for (const [split, part] of [
      ["train", "train"],
      ["validation", "valid"],
    ] as const) {
      const lines = readFileSync(set.path(`tinyshakespeare.${part}.jsonl`), "utf8")
        .trimEnd()
        .split("\n");
      const expected = lines.map((line) => (JSON.parse(line) as { readonly text: string }).text);
      assert.deepEqual(await texts(split), expected);
    }
  },
);

interface Hostile {
  readonly lines: number;
  readonly rows_kept: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: readonly { readonly line: number; readonly reason?: string; readonly warning?: string }[];
}

goldenTest(
  "corpora",
  ["hostile.jsonl", "hostile.expected.json"],
  "the report of hostile.jsonl has its counts and lines",
  async (set) => {
    using root = mkdtempDisposableSync(join(tmpdir(), "pretrain-test-"));
    const expected = set.json<Hostile>("hostile.expected.json");
    const source = { train: sourceFile(set.path("hostile.jsonl")), validation: undefined, tokenizer: undefined };
    const { report } = await packed(root.path, source, { maximumSequenceLength: 512 });
    assert.deepEqual([Number(report.rowsRead), Number(report.splits[0]?.rows)], [expected.lines, expected.rows_kept]);
    const linesOf = (key: "reason" | "warning", name: string) =>
      expected.rows.filter((row) => row[key] === name).map(({ line }) => line);
    const { ok: _, ...rejections } = expected.counts;
    assert.deepEqual(
      report.rejected.map(({ reason, rows, firstLines }) => [reason, Number(rows), firstLines.map(Number)]),
      Object.keys(rejections)
        .sort()
        .map((reason) => [reason, rejections[reason], linesOf("reason", reason).slice(0, 10)]),
    );
    assert.deepEqual(
      report.warnings.map(({ reason, firstLines }) => [reason, firstLines.map(Number)]),
      ["BOM_STRIPPED", "DUPLICATE_KEY", "NUL_CHARACTER", "PAD_TOKEN_IN_TEXT"].map((name) => [
        name,
        linesOf("warning", name),
      ]),
    );
  },
);

test("rows are begin, text, end; wrapped ones stay as they are; long ones are cut by the rule that was asked for", async (t) => {
  const folder = temporaryDirectory(t);
  const train = written(folder, "a.jsonl", jsonl("ab", "<|im_start|>c<|im_end|>", "defghij"));
  const job = { train, validation: undefined, tokenizer: undefined };
  const afterWrap = await packed(join(folder, "1"), job, { maximumSequenceLength: 5, trainVocabularySize: 259 });
  assert.deepEqual(await afterWrap.texts("train"), [
    "<|im_start|>ab<|im_end|>",
    "<|im_start|>c<|im_end|>",
    "<|im_start|>defg",
  ]);
  const keepEos = await packed(join(folder, "2"), job, {
    maximumSequenceLength: 5,
    trainVocabularySize: 259,
    cut: "keep_eos",
  });
  assert.deepEqual((await keepEos.texts("train"))[2], "<|im_start|>def<|im_end|>");
  const [split] = afterWrap.report.splits;
  // Tokens 4 + 3 + 5 of 15 positions; the last row had 9.
  assert.deepEqual(
    [split?.tokens, split?.rowsCut, split?.tokensLost, split?.targets, split?.textBytes, split?.paddingShare],
    [12n, 1n, 4n, 9n, 10n, 3 / 15],
  );
  assert.equal(afterWrap.report.rowsAlreadyWrapped, 1n);
});

test("equal texts are on one side, with or without markers, and about one in `validationEvery` is set aside", async (t) => {
  const folder = temporaryDirectory(t);
  const texts = Array.from({ length: 400 }, (_, index) => `row ${index}`);
  const train = written(folder, "a.jsonl", jsonl(...texts, ...texts.map((text) => `<|im_start|>${text}<|im_end|>`)));
  const job = { train, validation: undefined, tokenizer: undefined };
  const { texts: rows } = await packed(folder, job, { validationEvery: 4 });
  const [inTrain, inValidation] = [await rows("train"), await rows("validation")];
  assert.equal(inTrain.length + inValidation.length, 800);
  assert.ok(inValidation.length > 140 && inValidation.length < 260, String(inValidation.length)); // 200 expected, deviation 2 * 8.7
  assert.ok(!inTrain.some((text) => inValidation.includes(text)));
  // By hand: sha256("row 0") begins with a26a6b1b or the like; the rule is checked against the definition.
  const isAside = (text: string) =>
    Number(`0x${createHash("sha256").update(text).digest("hex").slice(0, 8)}`) % 4 === 0;
  assert.deepEqual(
    inValidation.slice(0, 3),
    texts
      .filter(isAside)
      .slice(0, 3)
      .map((text) => `<|im_start|>${text}<|im_end|>`),
  );
});

test("a tokenizer is learned from the texts of the training rows alone: neither from markers nor from rows set aside", async (t) => {
  const folder = temporaryDirectory(t);
  const texts = Array.from({ length: 60 }, (_, index) => `word${index} word${index}`);
  const isAside = (text: string) =>
    Number(`0x${createHash("sha256").update(text).digest("hex").slice(0, 8)}`) % 3 === 0;
  const wrapped = texts.map((text) => `<|im_start|>${text}<|im_end|>`);
  const inTraining = texts.filter((text) => !isAside(text));
  assert.ok(inTraining.length < texts.length);
  const digests = await Promise.all(
    [
      { name: "a", rows: texts, validationEvery: 3 },
      { name: "b", rows: wrapped, validationEvery: 3 },
      { name: "c", rows: inTraining, validationEvery: 0 },
    ].map(async ({ name, rows, validationEvery }) => {
      const job = {
        train: written(folder, `${name}.jsonl`, jsonl(...rows)),
        validation: undefined,
        tokenizer: undefined,
      };
      return (await packed(join(folder, name), job, { validationEvery })).result.tokenizerSha256;
    }),
  );
  assert.equal(new Set(digests).size, 1);
});

test("the same text gives the same dataset, byte for byte, and the thread writes what the function writes", async (t) => {
  const folder = temporaryDirectory(t);
  const train = written(folder, "a.jsonl", jsonl("the cat", "the dog", "the end"));
  const job = { train, validation: undefined, tokenizer: undefined };
  const first = await packed(join(folder, "1"), job);
  assert.deepEqual((await packed(join(folder, "2"), job)).result, first.result);
  const input = { job: { ...job, datasetId: "test", rules: plainRules }, blobs: pathToFileURL(join(folder, "3")).href };
  const seen: number[] = [];
  const outcome = await packInThread(input, { onProgress: (bytes) => seen.push(bytes), signal: t.signal });
  assert.deepEqual(outcome, { kind: "packed", result: first.result });
  assert.deepEqual(seen, [train.sizeBytes]);
});

test("a file that changed since it was asked for is refused, in the thread too", async (t) => {
  const folder = temporaryDirectory(t);
  const train = written(folder, "a.jsonl", jsonl("the cat"));
  writeFileSync(train.path, jsonl("the dog"));
  const job = { train, validation: undefined, tokenizer: undefined };
  await assert.rejects(packed(folder, job), { reason: "SOURCE_CHANGED" });
  const input = { job: { ...job, datasetId: "test", rules: plainRules }, blobs: pathToFileURL(folder).href };
  const outcome = await packInThread(input, { onProgress: () => undefined, signal: t.signal });
  assert.deepEqual(outcome, { kind: "refused", message: "a.jsonl was changed while it was packed; pack it again" });
});

test("a file without a usable row is refused with the reasons, a file that is no tokenizer with its field", async (t) => {
  const folder = temporaryDirectory(t);
  const train = written(folder, "a.jsonl", `{"Text":1}\n\n{"Text":2}\n`);
  await assert.rejects(packed(folder, { train, validation: undefined, tokenizer: undefined }), (error) => {
    assert.ok(error instanceof FailedPrecondition);
    assert.equal(
      error.message,
      "a.jsonl has no row to train on: of 3 read, rejected 1 BLANK_LINE (first in line 2), 2 MISSING_TEXT (first in line 1)",
    );
    return true;
  });
  const tokenizer = written(folder, "tokenizer.json", `{"version":"1.0"}`);
  const good = written(folder, "b.jsonl", jsonl("a"));
  await assert.rejects(packed(folder, { train: good, validation: undefined, tokenizer }), (error) => {
    assert.ok(error instanceof InvalidArgument);
    assert.match(error.message, /^settings\.tokenizer_path: tokenizer\.json is no tokenizer that can be used: /);
    return true;
  });
});

test("packing that is aborted ends at once", async (t) => {
  const folder = temporaryDirectory(t);
  const train = written(folder, "a.jsonl", jsonl("a"));
  const stop = new AbortController();
  const job = { train, validation: undefined, tokenizer: undefined, datasetId: "test", rules: plainRules };
  const input = { job, blobs: pathToFileURL(folder).href };
  const running = packInThread(input, { onProgress: () => undefined, signal: stop.signal });
  const reason = new Error("draining");
  stop.abort(reason);
  await assert.rejects(running, reason);
});

test("memory does not grow with the file", async (t) => {
  const folder = temporaryDirectory(t);
  const path = join(folder, "big.jsonl");
  const row = jsonl("a text of some length, the same in every row of a file of many megabytes ".repeat(10));
  writeFileSync(path, row.repeat(Math.ceil(16e6 / row.length)));
  const job = { train: sourceFile(path), validation: undefined, tokenizer: undefined };
  const before = process.memoryUsage().rss;
  let largest = 0;
  const timer = setInterval(() => (largest = Math.max(largest, process.memoryUsage().rss)), 20);
  t.after(() => clearInterval(timer));
  const { result } = await packed(folder, job, { maximumSequenceLength: 512 });
  assert.ok(result.trainRows > 20_000);
  assert.ok(largest - before < 200e6, `${largest - before}`);
});
