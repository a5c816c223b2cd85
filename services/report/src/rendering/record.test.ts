/** The rendered record in both languages: its facts, and that nothing outside of the Report message gets into it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create, fromJsonString } from "@bufbuild/protobuf";
import { goldenTest } from "@pretrain/golden";
import { OriginSchema, ReportSchema } from "@pretrain/proto";
import { parseExperimentFile, recipeSha256 } from "@pretrain/recipe";
import { buildReport } from "../record/build-report.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { type RecordArithmetic, recordedRun } from "../test-support/recorded-run.ts";
import { beginning, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { documentOfReport } from "./document-of-report.ts";
import { languages } from "./language/language.ts";
import { recordSectionsHtml, renderRecord } from "./render-record.ts";

const report = buildReport(historyOf(runEvents()));
const rendered = renderRecord(report);
const { "report.md": markdown, "report.html": html, "report.zh.md": chineseMarkdown } = rendered.documents;

for (const [document, file] of [
  [markdown, "record.md.snapshot"],
  [chineseMarkdown, "record.zh.md.snapshot"],
] as const) {
  test(`the Markdown of a run of 120 micro-steps is ${file}`, (t) => {
    t.assert.fileSnapshot(document, join(import.meta.dirname, file), { serializers: [String] });
  });
}

goldenTest("golden-eval", ["record_arithmetic.json"], "the record of 1.4.0 has the true numbers", (set) => {
  const recorded = buildReport(recordedRun(set.json<RecordArithmetic>("record_arithmetic.json")));
  const { "report.md": english, "report.zh.md": chinese } = renderRecord(recorded).documents;
  for (const fact of [
    "| Training loss | 8.9431 → 2.4323 (-72.8 %) |",
    "| Perplexity | 11.39 | 10.68 | micro-step 172,385, epoch 3 | \\< 20.00 | ✓ met |",
    "| Inference loss | 2.2600 | 2.2600 |",
    "★ excellent",
    "| Trained, first step's begin to last step's end | 11 h 43 min 00 s |",
    "| Micro-steps | 173,385 |",
    "| Optimizer steps | 21,673 |",
    "| Learning rate after the last optimizer step | 0.000000 |",
    "| Positions per second (padding counted) | 271,202 |",
    "| parameters | 25.83 M (25,829,888) |",
    "| Training loss | 1.5000 to 2.0000 | 2.4323 | ✗ missed |",
    "| Training time | 4 h 00 min 00 s to 6 h 00 min 00 s | 11 h 43 min 00 s | ✗ missed |",
    "| Created (request accepted) | 2025-07-30 07:30:00 UTC |",
    "The rest is 1.14 ms (0.5 %)",
    "down by 72.8 % of the first value",
    "271,202 positions per second",
    "(MiniMind's own default: 8)",
    "| `eval/inference_loss` | 12.3400 | 2.2600 | \\-81.7 % |",
    "Mean of 4: 4.0 of 10.",
    "The inference loss 2.2600 and the last training loss 2.4323 are 0.1723 apart, absolutely.",
    "without an interval: how sure it is cannot be said",
    "706.80 MB (47.6 %): a ratio of two of its counters",
    "6.2 % of the device's memory",
    "0 of 3 predictions hit.",
    "all of them 241.65 ms: -1.8 % of the early time",
    "| Compared with | none |",
    "| Lines added | 336 (counted in 1 of them) |",
    "#### Sealed before the run\n\nnone\n",
    "Made later, when numbers were known: no rule decides them",
    "1 of 2 done.",
    "| Review | ! changes asked for |",
  ]) {
    assert.ok(english.includes(fact), fact);
  }
  for (const fact of [
    "| 训练 Loss | 8.9431 → 2.4323 (-72.8 %) |",
    "| 困惑度 | 11.39 | 10.68 | 第 3 轮，微步 172,385 | \\< 20.00 | ✓ 达标 |",
    "★ 优秀",
    "| 优化器步 | 21,673 |",
    "| 训练 Loss | 1.5000 至 2.0000 | 2.4323 | ✗ 未命中 |",
    "其余 1.14 ms（0.5 %）",
    "降幅为初始值的 72.8 %",
    "设备每秒计算 271,202 个位置",
  ]) {
    assert.ok(chinese.includes(fact), fact);
  }
  for (const slip of ["11.38", "10.69", "6.0/10", "77.9"]) {
    assert.ok(!english.includes(slip) && !chinese.includes(slip), `${slip} is not a number of this run`);
  }
});

test("a person's words are in every document word for word", () => {
  for (const words of [
    "本次实验的目的是运行model_original,以获得一个baseline。",
    "The project's defaults, scaled down.\nOne optimizer step is 32 rows.",
    "单GPU RTX 4090,约4-6小时训练时间,显存使用约18-20GB",
  ]) {
    for (const [name, document] of Object.entries(rendered.documents)) {
      const written = name.endsWith(".html") ? words.replaceAll("'", "&#39;") : words;
      assert.ok(document.includes(written), `${name}: ${words}`);
    }
  }
});

test("words of another language than the document's say so", () => {
  const { "report.html": english, "report.zh.html": chinese } = rendered.documents;
  assert.match(english, /^<!doctype html>\n<html lang="en">/);
  assert.match(chinese, /^<!doctype html>\n<html lang="zh">/);
  assert.ok(english.includes('<blockquote lang="zh">获取baseline</blockquote>'));
  assert.ok(chinese.includes("<blockquote>获取baseline</blockquote>"));
  assert.ok(english.includes("<blockquote>A public-domain book, from a registry.</blockquote>"));
  assert.ok(chinese.includes('<blockquote lang="en">A public-domain book, from a registry.</blockquote>'));
});

test("all ten samples are there with input, prediction, truth and loss", () => {
  const samples = documentOfReport(report, "en")
    .sections.find(({ id }) => id === "samples")
    ?.blocks.filter(({ kind }) => kind === "sample");
  assert.equal(samples?.length, 10);
  assert.equal(html.match(/<article class="sample">/g)?.length, 10);
  assert.ok(markdown.includes("#### Sample 10 · row 27 · ") && chineseMarkdown.includes("#### 样例 10 · 第 27 行 · "));
});

test("each section says where its content comes from, in both languages, and stands in a chapter", () => {
  for (const language of languages) {
    const { sections } = documentOfReport(report, language);
    const document = rendered.documents[language === "en" ? "report.md" : "report.zh.md"];
    const origins = language === "en" ? "given|measured|generated" : "给定|实测|计算得出";
    for (const { id, title, chapter } of sections) {
      assert.match(document, new RegExp(`### ${title}\n\n\\*\\*(${origins})\\*\\*: \\S`), id);
      assert.ok(document.includes(`\n## ${chapter}\n`), id);
    }
    assert.equal(new Set(sections.map(({ id }) => id)).size, sections.length);
  }
});

test("both languages have the same sections with the same blocks and the same numbers", () => {
  const [english, chinese] = languages.map((language) =>
    documentOfReport(report, language).sections.map(({ id, origin, blocks }) => [
      id,
      origin,
      blocks.map(({ kind }) => kind),
    ]),
  );
  assert.deepEqual(chinese, english);
  const [inEnglish, inChinese] = [markdown, chineseMarkdown].map(decimals);
  assert.deepEqual(inChinese, inEnglish);
});

/** Every number with a point, and how often it is there. */
function decimals(document: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const number of (document.match(/\d[\d,]*\.\d+/g) ?? []).toSorted()) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}

test("sections alone are the bytes that stand in the document, in its order", () => {
  const two = recordSectionsHtml(report, "en", ["curve", "indicators"]);
  assert.ok(html.includes(two), "they follow each other there, too");
  assert.match(two, /^<section id="indicators"[\s\S]*<section id="curve"/);
  assert.equal(recordSectionsHtml(report, "en", ["no-such-section"]), "");
  for (const { id } of documentOfReport(report, "zh").sections) {
    assert.ok(rendered.documents["report.zh.html"].includes(recordSectionsHtml(report, "zh", [id])), id);
  }
});

test("the recipe in the record is a file that starts the same experiment again", () => {
  const file = /### Recipe[\s\S]*```json\n([\s\S]*?)\n```/.exec(markdown)?.[1] ?? "";
  const request = parseExperimentFile(file, "recipe.json");
  assert.ok(request.recipe && report.recipe);
  assert.equal(recipeSha256(request.recipe), recipeSha256(report.recipe));
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
  const { documents } = renderRecord(buildReport(historyOf(beginning(runShape()).slice(0, 1))));
  const { "report.md": markdown, "report.html": html } = documents;
  for (const text of [
    "No micro-step has ended.",
    "No attempt has begun.",
    "The data has not been packed.",
    "No evaluation has samples yet.",
  ]) {
    assert.ok(markdown.includes(text) && html.includes(text), text);
  }
  for (const text of ["还没有完成任何微步。", "尚未开始任何一次尝试。", "数据尚未打包。", "还没有带样例的评估。"]) {
    assert.ok(documents["report.zh.md"].includes(text) && documents["report.zh.html"].includes(text), text);
  }
  assert.match(markdown, /### Log of warnings and errors\n\n\*\*measured\*\*: .*\n\nnone\n/);
  assert.ok(!/NaN|Infinity|undefined|\[object/.test(Object.values(documents).join("")));
});

test("the HTML loads nothing and runs nothing", () => {
  for (const page of [html, rendered.documents["report.zh.html"]]) {
    assert.ok(!/<script|<link|<img|<iframe|\son\w+=|url\(|@import|https?:\/\/(?!www\.w3\.org)/i.test(page));
  }
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
    "### Origin",
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
  assert.ok(!markdown.includes("### Origin") && !html.includes("Forked from"));
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
