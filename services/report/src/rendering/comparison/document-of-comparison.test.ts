/** What a comparison shows, in both languages and both forms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { IntervalSchema, type Report } from "@pretrain/proto";
import { compareReports } from "../../comparison/compare-reports.ts";
import { readHistory } from "../../ledger/read-history.ts";
import { buildReport } from "../../record/build-report.ts";
import { ledgerOf } from "../../test-support/ledger-of.ts";
import { runEvents } from "../../test-support/run-events.ts";
import { comparisonHtml, comparisonMarkdown, comparisonSectionsHtml } from "./render-comparison.ts";

function recordOf(id: string, title: string, seed: number): Report {
  using ledger = ledgerOf(runEvents({ id, title, seed }));
  const history = readHistory(ledger, id);
  assert.ok(history);
  return buildReport(history);
}

const baseline = recordOf("a", "<b>1.4.0</b>", 7);
const better = recordOf("b", "1.4.1", 8);
const other = recordOf("c", "1.4.2", 9);
const elsewhere: Report = {
  ...other,
  ...(other.dataset && { dataset: { ...other.dataset, tokenizerSha256: "ff".repeat(32) } }),
};
const interval = create(IntervalSchema, { low: -0.3, high: -0.1, resamples: 1000, seed: 42 });
const comparison = compareReports(baseline, [better, elsewhere], [{ difference: -0.2, interval }, undefined]);
const curves = [baseline, better, elsewhere].map(({ title, lossCurve }) => ({ title, points: lossCurve }));

for (const [language, said] of [
  ["en", { better: "✓ better", refused: "✗ not comparable", why: "another tokenizer", none: "no interval" }],
  ["zh", { better: "✓ 更好", refused: "✗ 不可比", why: "分词器不同", none: "无区间" }],
] as const) {
  const documents = [
    comparisonHtml(comparison, curves, language),
    comparisonMarkdown(comparison, curves, language),
  ] as const;

  test(`${language}: what was shown is said, what was not is not, and what can't be compared has its reason`, () => {
    for (const document of documents) {
      for (const words of Object.values(said)) assert.ok(document.includes(words), words);
      assert.ok(document.includes("-0.3000, -0.1000"));
      assert.ok(document.includes("2e2e2e2e2e2e…") && document.includes("ffffffffffff…"));
    }
  });

  test(`${language}: a title is text, whatever it says`, () => {
    assert.ok(!documents[0].includes("<b>1.4.0</b>"));
    assert.ok(documents[0].includes("&lt;b&gt;1.4.0&lt;/b&gt;"));
  });

  test(`${language}: every curve is a line of its own form with its number, and in Markdown a column`, () => {
    const dashes = [...documents[0].matchAll(/<path class="overlay" stroke-dasharray="([^"]+)" d="M\d+\.\d/g)];
    assert.equal(new Set(dashes.map(([, dash]) => dash)).size, 3);
    assert.match(documents[1], /\| +120 \|( +\d\.\d{4} \|){3}/);
  });
}

test("the page's sections are those of the file", () => {
  const sections = comparisonSectionsHtml(comparison, curves, "en");
  assert.ok(comparisonHtml(comparison, curves, "en").includes(sections.slice(0, 2000)));
});
