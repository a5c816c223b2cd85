/** What the methods answer. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { create, toJsonString } from "@bufbuild/protobuf";
import { InvalidArgument, NotFound } from "@pretrain/errors";
import {
  GetReportRequestSchema,
  QueryMetricsRequestSchema,
  RenderReportRequest_Format,
  RenderReportRequestSchema,
  ReportSchema,
} from "@pretrain/proto";
import { CurrentReports } from "../reports/current-reports.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { getReport } from "./get-report.ts";
import { queryMetrics } from "./query-metrics.ts";
import { renderReport } from "./render-report.ts";

const ledger = ledgerOf(runEvents());
const dependencies = { ledger, reports: new CurrentReports(ledger, () => performance.now()) };
const report = (name: string) => getReport(dependencies)(create(GetReportRequestSchema, { name }));
const query = (fields: Parameters<typeof create<typeof QueryMetricsRequestSchema>>[1]) =>
  queryMetrics(dependencies)(create(QueryMetricsRequestSchema, fields));

test("every spelling of an id is answered with the canonical name", () => {
  for (const spelling of ["1-4-0", "1.4.0", "experiment_1_4_0"]) {
    assert.equal(report(`experiments/${spelling}/report`).name, "experiments/1-4-0/report");
  }
});

test("an experiment that the ledger does not know is NOT_FOUND by its name", async () => {
  const named = (error: unknown) => error instanceof NotFound && error.metadata["name"] === "experiments/9-9-9";
  assert.throws(() => report("experiments/9-9-9/report"), named);
  await assert.rejects(query({ experiment: "experiments/9-9-9", metrics: ["train/loss"] }), named);
});

test("a record is rendered in the language that is asked for, English if none, and carries the digest of the report.json that GetReport's message makes", () => {
  const { HTML, MARKDOWN } = RenderReportRequest_Format;
  const name = "experiments/1-4-0/report";
  const json = `${toJsonString(ReportSchema, report(name), { prettySpaces: 1 })}\n`;
  const sha256 = createHash("sha256").update(json).digest("hex");
  for (const [format, language, mediaType, start] of [
    [HTML, "", "text/html", '<!doctype html>\n<html lang="en">'],
    [HTML, "zh", "text/html", '<!doctype html>\n<html lang="zh">'],
    [MARKDOWN, "en", "text/markdown", "# Experiment 1.4.0"],
    [MARKDOWN, "zh", "text/markdown", "# 实验记录 1.4.0"],
  ] as const) {
    const rendered = renderReport(dependencies)(create(RenderReportRequestSchema, { name, format, language }));
    assert.equal(rendered.mediaType, mediaType);
    assert.equal(rendered.reportSha256, sha256);
    assert.ok(rendered.document.startsWith(start));
  }
});

test("buckets carry their range, their count and all four values; 0 points mean 1000", async () => {
  const { series } = await query({
    experiment: "experiments/1.4.0",
    metrics: ["train/lr", "train/grad_norm"],
    fromMicroStep: 1n,
    toMicroStep: 8n,
    maxPoints: 1,
  });
  assert.deepEqual(
    series.map(({ metric, buckets }) => [metric, buckets.length]),
    [
      ["train/lr", 1],
      ["train/grad_norm", 1],
    ],
  );
  const [bucket] = series[0]?.buckets ?? [];
  assert.deepEqual([bucket?.firstMicroStep, bucket?.lastMicroStep, bucket?.count], [1n, 8n, 8n]);
  assert.ok(bucket && bucket.last === bucket.min && bucket.min < bucket.mean && bucket.mean < bucket.max); // it falls
  assert.equal(series[1]?.buckets[0]?.count, 2n); // every fourth micro-step ends an optimizer step
  const all = await query({ experiment: "experiments/1-4-0", metrics: ["train/loss"] });
  assert.equal(all.series[0]?.buckets.length, 120);
});

test("a range that ends before it begins is refused by the name of its end", async () => {
  await assert.rejects(
    query({ experiment: "experiments/1-4-0", metrics: ["train/loss"], fromMicroStep: 9n, toMicroStep: 3n }),
    (error) => error instanceof InvalidArgument && error.violations[0]?.field === "to_micro_step",
  );
});

test("more buckets than one answer holds are refused, at one more than the limit", async () => {
  const metrics = ["train/loss", "train/lr", "train/tokens", "train/grad_norm", "eval/loss"];
  const ask = (maxPoints: number) => query({ experiment: "experiments/1-4-0", metrics, maxPoints });
  assert.equal((await ask(10_000)).series.length, 5);
  await assert.rejects(
    query({ experiment: "experiments/1-4-0", metrics: [...metrics, "eval/perplexity"], maxPoints: 8_334 }),
    (error) => error instanceof InvalidArgument && error.violations[0]?.field === "max_points",
  );
});
