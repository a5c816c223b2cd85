/** The rendered record: its facts, and that nothing outside of the Report message gets into it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { create, fromJsonString } from "@bufbuild/protobuf";
import { goldenTest } from "@pretrain/golden";
import {
  DataSchema,
  EvaluationPlanSchema,
  HardwareSchema,
  ModelSchema,
  MonitoringSchema,
  OriginSchema,
  ReportSchema,
  TrainingSchema,
} from "@pretrain/proto";
import { buildReport } from "../record/build-report.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { type RecordArithmetic, recordedRun } from "../test-support/recorded-run.ts";
import { beginning, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { documentOfReport } from "./document-of-report.ts";
import { renderRecord } from "./render-record.ts";
import * as meanings from "./sections/parameter-meanings.ts";

const report = buildReport(historyOf(runEvents()));
const rendered = renderRecord(report);
const { "report.md": markdown, "report.html": html } = rendered.documents;

test("the Markdown of a run of 120 micro-steps is this file", (t) => {
  t.assert.fileSnapshot(markdown, join(import.meta.dirname, "record.md.snapshot"), { serializers: [String] });
});

goldenTest("golden-eval", ["record_arithmetic.json"], "the record of 1.4.0 has the true numbers", (set) => {
  const { "report.md": markdown } = renderRecord(
    buildReport(recordedRun(set.json<RecordArithmetic>("record_arithmetic.json"))),
  ).documents;
  for (const fact of [
    "| Training loss | 8.9431 → 2.4323 (-72.8 %) |",
    "| `train/perplexity` | 11.39 | 10.68 | micro-step 172,385, epoch 3 | \\< 20.00 | ✓ met |",
    "| `eval/inference_loss` | 2.2600 |",
    "★ excellent",
    "| Trained, first step's begin to last step's end | 11 h 43 min 00 s |",
    "| Micro-steps | 173,385 |",
    "| Optimizer steps | 21,673 |",
    "| Learning rate after the last optimizer step | 0.000000 |",
    "| Positions per second (padding counted) | 271,202 |",
    "| Other: copying, reading the loss, saving | 1.14 ms | 1.14 ms | 0.5 % |",
    "| parameters | 25.83 M (25,829,888) |",
    "| `train/loss` | 1.5000 to 2.0000 | 2.4323 | ✗ missed |",
    "| `train/duration_seconds` | 4 h 00 min 00 s to 6 h 00 min 00 s | 11 h 43 min 00 s | ✗ missed |",
    "| Created (request accepted) | 2025-07-30 07:30:00 UTC |",
  ]) {
    assert.ok(markdown.includes(fact), fact);
  }
});

test("a person's words are in both documents word for word", () => {
  for (const words of [
    "本次实验的目的是运行model_original,以获得一个baseline。",
    "The project's defaults, scaled down.\nOne optimizer step is 32 rows.",
    "单GPU RTX 4090,约4-6小时训练时间,显存使用约18-20GB",
  ]) {
    assert.ok(markdown.includes(words), words);
    assert.ok(html.includes(words.replaceAll("'", "&#39;")), words);
  }
});

test("all ten samples are there with input, prediction, truth and loss", () => {
  const samples = documentOfReport(report, "en")
    .sections.find(({ id }) => id === "samples")
    ?.blocks.filter(({ kind }) => kind === "sample");
  assert.equal(samples?.length, 10);
  assert.equal(html.match(/<article class="sample">/g)?.length, 10);
  assert.ok(markdown.includes("### Sample 10 · row 27 · "));
});

test("each section says whether it was given, measured or generated", () => {
  const { sections } = documentOfReport(report, "en");
  for (const { title, origin } of sections) assert.ok(markdown.includes(`## ${title}\n\n**${origin}**: `), title);
  assert.equal(new Set(sections.map(({ id }) => id)).size, sections.length);
});

test("every parameter of the recipe has a row with its meaning, and no meaning is left over", () => {
  const pairs: [DescMessage, Readonly<Record<string, string>>][] = [
    [ModelSchema, meanings.modelMeanings],
    [DataSchema, meanings.dataMeanings],
    [TrainingSchema, meanings.trainingMeanings],
    [HardwareSchema, meanings.hardwareMeanings],
    [MonitoringSchema, meanings.monitoringMeanings],
    [EvaluationPlanSchema, meanings.evaluationMeanings],
  ];
  for (const [schema, texts] of pairs) {
    assert.deepEqual(
      Object.keys(texts),
      schema.fields.map(({ name }) => name),
      schema.name,
    );
    for (const { name } of schema.fields) assert.ok(markdown.includes(`| \`${name}\` | `), name);
  }
});

test("the same report gives the same bytes in another time zone and language, and when it is read back from report.json", () => {
  const before = { TZ: process.env["TZ"], LANG: process.env["LANG"] };
  try {
    Object.assign(process.env, { TZ: "Asia/Shanghai", LANG: "de_DE.UTF-8" });
    assert.equal(new Date(0).getHours(), 8);
    assert.deepEqual(renderRecord(report), rendered);
    assert.deepEqual(renderRecord(fromJsonString(ReportSchema, rendered.json)), rendered);
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

test("a record of an experiment that has only been accepted is whole: what is not there is named", () => {
  const { "report.md": markdown, "report.html": html } = renderRecord(
    buildReport(historyOf(beginning(runShape()).slice(0, 1))),
  ).documents;
  for (const text of [
    "No micro-step has ended.",
    "No attempt has begun.",
    "The data has not been packed.",
    "No evaluation has samples yet.",
  ]) {
    assert.ok(markdown.includes(text) && html.includes(text), text);
  }
  assert.ok(!/NaN|Infinity|undefined|\[object/.test(markdown + html));
});

test("the HTML loads nothing and runs nothing", () => {
  assert.ok(!/<script|<link|<img|<iframe|\son\w+=|url\(|@import|https?:\/\/(?!www\.w3\.org)/i.test(html));
  assert.match(html, /content="default-src &#39;none&#39;; style-src &#39;sha256-/);
});

test("a fork's record names its parent's checkpoint, digest and every field that differs; another record has no such section", () => {
  const origin = create(OriginSchema, {
    checkpoint: "experiments/1-3-0/checkpoints/40",
    manifestSha256: "a".repeat(64),
    microStep: 40n,
    recipeSha256: "b".repeat(64),
    differences: [
      { field: "training.learning_rate", parent: "0.0002", fork: "0.0001" },
      { field: "targets", parent: '[{"metric":"train/loss"}]', fork: "" },
    ],
  });
  const { documents: fork } = renderRecord({ ...report, origin });
  for (const fact of [
    "| Forked from | `experiments/1-3-0/checkpoints/40` |",
    "## Origin",
    `| SHA-256 of its manifest | \`${"a".repeat(64)}\` |`,
    "| Micro-steps done there | 40 |",
    "| `training.learning_rate` | `0.0002` | `0.0001` |",
    '| `targets` | `[{"metric":"train/loss"}]` | not given |',
  ]) {
    assert.ok(fork["report.md"].includes(fact), fact);
  }
  const row =
    /training\.learning_rate<\/code><\/td><td><code class="short">0\.0002<\/code><\/td><td><code class="short">0\.0001/;
  assert.ok(row.test(fork["report.html"]), "the difference is a row of the page too");
  assert.ok(!fork["report.md"].includes("an entirely new experiment"));
  assert.match(
    renderRecord({ ...report, origin: create(OriginSchema, { ...origin, differences: [] }) }).documents["report.md"],
    /nothing: the parent's recipe is continued/,
  );
  assert.ok(!markdown.includes("## Origin") && !html.includes("Forked from"));
});

test("an import's record names the folder, every file with its digest, and what was done to the numbers", () => {
  const files = [{ name: "model.safetensors", sizeBytes: 103_000_000n, sha256: "c".repeat(64) }];
  const notes = ["74 tensors widened from BF16 to F32", "lm_head.weight left out: it is the embedding"];
  const imported = { source: "imports/minimind", layout: "half_split", files, notes };
  const { "report.md": markdown } = renderRecord({ ...report, origin: create(OriginSchema, { imported }) }).documents;
  for (const fact of [
    "| Imported from | `imports/minimind` |",
    "| Rows of queries and keys there | `half_split` |",
    "| SHA-256 of its tokenizer.json | not there |",
    `| \`model.safetensors\` | 103,000,000 | \`${"c".repeat(64)}\` |`,
    "| Changed or left out | 74 tensors widened from BF16 to F32; lm_head.weight left out: it is the embedding |",
  ]) {
    assert.ok(markdown.includes(fact), fact);
  }
  assert.ok(!markdown.includes("Forked from") && !markdown.includes("an entirely new experiment"));
});
