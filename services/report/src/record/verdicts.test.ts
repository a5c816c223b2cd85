/** Verdict words by rule, at the bounds where rules go wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { TargetSchema, Verdict } from "@pretrain/proto";
import { jointVerdict, verdict } from "./verdicts.ts";

const { MET, MISSED, EXCELLENT, UNDECIDED } = Verdict;

for (const [claim, value, comparison, bound, excellent, expected] of [
  ["2.4323 is below 3.0", 2.4323, "<", 3, undefined, MET],
  ["3.0 is not below 3.0", 3, "<", 3, undefined, MISSED],
  ["3.0 is at most 3.0", 3, "<=", 3, undefined, MET],
  ["12.34, the loss of the faulty slice, is not below 3.0", 12.34, "<", 3, undefined, MISSED],
  ["4.0 is above 3.5", 4, ">", 3.5, undefined, MET],
  ["3.5 is not above 3.5, but is at least 3.5", 3.5, ">=", 3.5, undefined, MET],
  ["2.26 is below 3.0 and below the stricter 2.5", 2.26, "<", 3, 2.5, EXCELLENT],
  ["2.5 is not below the stricter 2.5", 2.5, "<", 3, 2.5, MET],
  ["a missed target is not excellent, whatever its stricter bound", 3.5, "<", 3, 4, MISSED],
  ["nothing can be said of a number that is not there", undefined, "<", 3, undefined, UNDECIDED],
  ["nothing can be said of what is not a number", Number.NaN, "<", 3, undefined, UNDECIDED],
  ["an infinite loss is no small loss", Number.POSITIVE_INFINITY, "<", 3, undefined, MISSED],
] as const) {
  test(claim, () => {
    const target = create(TargetSchema, {
      metric: "train/loss",
      comparison,
      value: bound,
      ...(excellent && { excellent }),
    });
    assert.equal(verdict(value, target), expected);
  });
}

test("a hypothesis is refuted by one missed rule, undecided by one missing number, confirmed by all rules", () => {
  assert.equal(jointVerdict([MET, MISSED, UNDECIDED]), MISSED);
  assert.equal(jointVerdict([MET, UNDECIDED]), UNDECIDED);
  assert.equal(jointVerdict([MET, EXCELLENT]), MET);
  assert.equal(jointVerdict([]), UNDECIDED);
});
