import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { IndicatorSchema, Verdict } from "@pretrain/proto";
import { indicatorTable } from "./indicator-table.ts";

test("a value, its target and its verdict stand in one line; what was not measured is a dash", () => {
  const met = create(IndicatorSchema, {
    metric: "eval/loss",
    unit: "nats per token",
    final: 2.26,
    target: { metric: "eval/loss", comparison: "<", value: 3 },
    verdict: Verdict.MET,
  });
  const absent = create(IndicatorSchema, { metric: "train/lr", unit: "1" });
  assert.equal(
    indicatorTable([met, absent]),
    [
      "indicator  value   unit            target  verdict",
      "eval/loss  2.2600  nats per token  < 3     ✓ met",
      "train/lr   -       1",
    ].join("\n"),
  );
});
