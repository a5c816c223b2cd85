/** Text of others stays text, wherever it stands in a record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clone, type DescMessage } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Report, ReportSchema } from "@pretrain/proto";
import { everythingReport } from "../test-support/everything-report.ts";
import { languages } from "./language/language.ts";
import { markdownBlock, markdownCode, markdownText } from "./markdown/markdown-text.ts";
import { recordHtml, recordMarkdown } from "./render-record.ts";
import { visibleText } from "./visible-text.ts";

const attacks = [
  "<script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "<svg/onload=alert(1)>",
  "<!--",
  "]]>",
  "</textarea></title></pre></blockquote></td></table>",
  "javascript:alert(1)",
  "&lt;script&gt;",
  "\u0000<\u0008script>",
  "\u202E>tpircs<",
  "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}",
];

const report = everythingReport();

/** The report with every text in it replaced. */
function filledWith(text: string): Report {
  const filled = clone(ReportSchema, report);
  fill(reflect<DescMessage>(ReportSchema, filled), text);
  return filled;
}

function fill(message: ReflectMessage, text: string): void {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "scalar" && typeof message.get(field) === "string") message.set(field, text);
    if (field.fieldKind === "message") fill(message.get(field), text);
    if (field.fieldKind !== "list") continue;
    const list = message.get(field);
    for (let index = 0; index < list.size; index++) {
      if (field.listKind === "scalar" && typeof list.get(index) === "string") list.set(index, text);
      const item = list.get(index);
      if (field.listKind === "message" && typeof item === "object") fill(item as ReflectMessage, text);
    }
  }
}

/** Every tag, comment and declaration, in order, with its attributes. */
function tagsOf(page: string): string[] {
  return page.match(/<[a-zA-Z/!?][^>]*>/g) ?? [];
}

/** As long as the attack: the form of a cell depends on its length. */
function harmless(attack: string): string {
  return "x".repeat(visibleText(attack).length);
}

for (const attack of attacks) {
  test(`no text makes a tag, an attribute or a comment: ${JSON.stringify(attack)}`, () => {
    assert.deepEqual(
      tagsOf(recordHtml(filledWith(attack), "en")),
      tagsOf(recordHtml(filledWith(harmless(attack)), "en")),
    );
  });
}

test("what could be a tag is there to be read, in both forms", () => {
  const attacked = filledWith("<b>&\"'");
  assert.ok(recordHtml(attacked, "en").includes("<blockquote>&lt;b&gt;&amp;&quot;&#39;</blockquote>"));
  assert.ok(recordMarkdown(attacked, "en").includes("\\<b\\>\\&\"'"));
});

test("the test of tags would see a text that is not escaped", () => {
  assert.notDeepEqual(tagsOf(`<p>${attacks[0]}</p>`), tagsOf("<p>harmless</p>"));
});

test("in Markdown no text makes HTML, a link, a picture, emphasis, a cell or the end of its block", () => {
  for (const attack of [
    ...attacks,
    "[a](javascript:alert(1))",
    "![x](y)",
    "a | b | c",
    "``` \n# heading",
    "*bold* _soft_ ~~gone~~",
    "1. one",
    "- one",
  ]) {
    for (const language of languages) {
      const [attacked, plain] = [attack, harmless(attack)].map((text) =>
        withoutCode(recordMarkdown(filledWith(text), language)),
      );
      assert.deepEqual(marksOf(attacked ?? ""), marksOf(plain ?? ""), attack);
      assert.deepEqual(cellCounts(attacked ?? ""), cellCounts(plain ?? ""), attack);
    }
  }
});

/** Without fenced blocks and code spans, in which nothing has a meaning but their end. */
function withoutCode(markdown: string): string {
  return markdown
    .replaceAll(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, "")
    .replaceAll(/(?<![\\`])(`+)(?!`).*?[^`]\1(?!`)/g, "code");
}

/** Everything that Markdown reads as more than text, in order; `<br>` is how a line end stands in a cell. */
function marksOf(markdown: string): string[] {
  return markdown.replaceAll("<br>", "").match(/(?<!\\)[<[*~]|^[#>-]+ |^\d+\. /gm) ?? [];
}

function cellCounts(markdown: string): number[] {
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  return rows.map((row) => row.split(/(?<!\\)\|/).length);
}

test("the test of marks would see a text that is not escaped", () => {
  assert.notDeepEqual(marksOf("- [a](b) *c*"), marksOf("- \\[a\\](b) \\*c\\*"));
});

test("a code span and a block are longer than any run of backticks in them", () => {
  assert.equal(markdownCode("a"), "`a`");
  assert.equal(markdownCode("a``b"), "``` a``b ```");
  assert.equal(markdownBlock("````\nx"), "`````text\n````\nx\n`````");
});

test("names keep their underscores, text keeps its line ends, and Chinese stays as it is", () => {
  assert.equal(markdownText("model_original 的 n_layers\n获取baseline"), "model_original 的 n_layers<br>获取baseline");
  assert.equal(markdownText("_soft_"), "\\_soft\\_");
});

test("control characters and direction marks become visible, line ends and tabs stay", () => {
  assert.equal(
    visibleText("a\u0007b\u202Ec\u001B[31m\n\td\r\ne\uD800"),
    "a\\u{0007}b\\u{202E}c\\u{001B}[31m\n\td\ne\uFFFD",
  );
  assert.equal(visibleText("白鲸记 Ἀπόλλων 👩‍🔬"), "白鲸记 Ἀπόλλων 👩‍🔬");
});
