/** How figures are written: by hand-checked examples, at the places where rounding goes wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { bytes, counted, duration, fixed, loss, metricValue, moment, percent } from "./figures.ts";

for (const [claim, written, expected] of [
  ["a count has groups of three", counted(173_385), "173,385"],
  ["a count beyond 2^53 keeps every digit", counted(9_007_199_254_740_993n), "9,007,199,254,740,993"],
  ["a loss has four digits", loss(2.4323), "2.4323"],
  ["a reduction of 0.728025 is 72.8 %", percent(0.7280249), "72.8 %"],
  ["a perplexity of 11.38504 is 11.39", metricValue("train/perplexity", 11.385037), "11.39"],
  ["a perplexity of 10.68456 is 10.68", metricValue("train/perplexity", 10.684563), "10.68"],
  ["a learning rate of almost zero is 0.000000", metricValue("train/lr", 1e-12), "0.000000"],
  ["what rounds to zero has no sign", fixed(-0.00001, 2), "0.00"],
  ["digits after the point are not grouped", fixed(1234567.891234, 6), "1,234,567.891234"],
  ["a short time has tenths", duration(42.14), "42.1 s"],
  ["59.97 s is a minute, not 60.0 s", duration(59.97), "1 min 00 s"],
  ["42,180 s is 11 h 43 min", duration(42_180), "11 h 43 min 00 s"],
  ["1,484,000,000 bytes are 1.48 GB", bytes(1_484_000_000n), "1.48 GB"],
  ["999 bytes are bytes", bytes(999), "999 B"],
  [
    "a moment is in UTC and says so",
    moment(timestampFromDate(new Date("2025-07-30T23:54:41+08:00"))),
    "2025-07-30 15:54:41 UTC",
  ],
  ["what is not there is a dash, not a zero", metricValue("eval/loss", undefined), "–"],
  ["what is not a number says so", loss(Number.NaN), "NaN"],
  ["an infinite loss is shown as one", loss(Number.POSITIVE_INFINITY), "∞"],
] as const) {
  test(claim, () => assert.equal(written, expected));
}
