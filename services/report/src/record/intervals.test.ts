/** The interval beside a final value is the one that the evaluator resampled for it, and no other number's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { Evaluation_State } from "@pretrain/proto";
import { correctionEvent, evaluationEvent } from "../test-support/evaluation-events.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";

const shape = runShape();
const last = { attempt: 1, microStep: 120, endMs: shape.startMs + 200_000 };
const others = runEvents().filter(
  (event) => event.kind !== "evaluation" || event.message.evaluation?.microStep !== 120n,
);

function intervalsOf(...evaluations: Parameters<typeof historyOf>[0]) {
  const { indicators } = buildReport(historyOf([...others, ...evaluations]));
  return (metric: string) => indicators.find((row) => row.metric === metric)?.interval;
}

test("of 3.5 nats the interval is 3.45 to 3.55, of the perplexity exp of both ends, of bits per byte there is none", () => {
  const interval = intervalsOf(evaluationEvent(shape, last, {}, 3.5));
  const ends = (metric: string) => [interval(metric)?.low ?? 0, interval(metric)?.high ?? 0];
  assertClose(ends("eval/loss"), [3.45, 3.55], 1e-12);
  assertClose(ends("eval/inference_loss"), [3.24, 3.64], 1e-12);
  assertClose(ends("eval/perplexity"), [Math.exp(3.45), Math.exp(3.55)], 1e-9);
  assert.deepEqual([interval("eval/loss")?.resamples, interval("eval/loss")?.seed], [1000, 42]);
  for (const metric of ["eval/bits_per_byte", "train/loss"]) assert.equal(interval(metric), undefined, metric);
});

test("a corrected evaluation's interval gives way with its number, and one that failed has neither", () => {
  const planned = evaluationEvent(shape, last, {}, 9);
  const correction = correctionEvent(shape, { ...last, endMs: last.endMs + 1 }, { nats: 3, cause: "a slice" });
  assert.ok((intervalsOf(planned, correction)("eval/loss")?.high ?? 9) < 4);
  const failed = evaluationEvent(shape, last, { state: Evaluation_State.FAILED });
  assert.equal(intervalsOf(failed)("eval/loss"), undefined);
});
