/** What was not certified is shown as that, with what refuted it, and never as a number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  Canary_Outcome,
  type Evaluation,
  Evaluation_State,
  EvaluationSchema,
  Report_Completeness,
  Verdict,
} from "@pretrain/proto";
import { curvesOf } from "../curves/curves-of-experiments.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { phrasesOf } from "../rendering/language/phrases.ts";
import { renderRecord } from "../rendering/render-record.ts";
import { basisSentence } from "../rendering/sentences/basis-sentence.ts";
import { gapSentence } from "../rendering/sentences/gap-sentence.ts";
import { evaluationEvent, uncertifiedEvent } from "../test-support/evaluation-events.ts";
import { historyOf, ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";
import { readiness } from "./readiness.ts";

const shape = runShape();
const last = { attempt: 1, microStep: 120, endMs: shape.startMs + 200_000 };
const planned = evaluationEvent(shape, last);
const uncertified = uncertifiedEvent(shape, last);
const others = runEvents(shape).filter((event) => evaluationIn(event)?.microStep !== 120n);
const withNothingElse = [...others, uncertified];
const report = buildReport(historyOf(withNothingElse));

function evaluationIn(event: LedgerEvent): Evaluation | undefined {
  return event.kind === "evaluation" ? event.message.evaluation : undefined;
}

test("of an evaluation that is not certified nothing is kept that was measured, whatever its event holds", () => {
  const kept = report.evaluations.find(({ microStep }) => microStep === 120n) ?? assert.fail();
  const set = [...EvaluationSchema.fields].filter((field) => reflect(EvaluationSchema, kept).isSet(field));
  assert.deepEqual(
    set.map(({ name }) => name),
    [
      "name",
      "state",
      "error",
      "checkpoint",
      "checkpoint_sha256",
      "dataset",
      "dataset_sha256",
      "tokenizer_sha256",
      "settings",
      "create_time",
      "start_time",
      "end_time",
      "micro_step",
      "certificate",
    ],
  );
});

test("it gives no final value, no best, no verdict, no prediction, no point of a curve and no sample", async () => {
  for (const { metric, final, best, verdict, basis } of report.indicators.filter((row) =>
    row.metric.startsWith("eval/"),
  )) {
    assert.equal(final, undefined, metric);
    assert.notEqual(verdict, Verdict.MET, metric);
    assert.notEqual(verdict, Verdict.MISSED, metric);
    assert.match(basisSentence(basis, phrasesOf("en")), /checkpoint of micro-step 120: not certified/);
    if (metric === "eval/loss") assert.equal(best?.toFixed(4), "3.9789"); // of micro-step 80
  }
  assert.equal(report.predictions.find(({ prediction }) => prediction?.metric === "eval/loss")?.hit, undefined);
  const question = { experiment: "1-4-0", metrics: ["eval/loss"], from: 0, to: 0, maximumBuckets: 1000 };
  const [curve] = await curvesOf(ledgerOf(withNothingElse)).read(question);
  assert.deepEqual(
    curve?.map(({ last: value }) => value.toFixed(4)),
    ["4.4457", "3.9789"],
  );
});

test("no form of the record has one of its numbers, and each says which canary refuted it, with the evidence", () => {
  const { json, documents } = renderRecord(report);
  const { "report.md": markdown, "report.html": html } = documents;
  const { validationLoss, inferenceLoss, perplexity } = evaluationIn(uncertified) ?? assert.fail();
  const numbers = [validationLoss?.natsPerToken, inferenceLoss?.natsPerToken, perplexity].map((number = 0) => number);
  for (const form of [json, markdown, html]) {
    for (const number of numbers) {
      assert.ok(!form.includes(number.toFixed(4)) && !form.includes(String(number)), `${number}`);
    }
  }
  const words =
    "✗ not certified: next_token_oracle is off by 8.7642 nats, at most 1e-4 nats (16 rows of 7 to 61 tokens, worst row 3: 8.7642 nats per token away)";
  assert.ok(markdown.includes(`| 120 | – | – | – | – | 19.0 s | ${words} |`));
  assert.ok(html.includes(words));
  assert.ok(markdown.includes("| ✗ 1 of 2 canaries hold |"));
  assert.ok(
    markdown.includes(
      "| `next_token_oracle` | a model that knows the next token pays nothing for it | ✗ does not hold |",
    ),
  );
});

test("it has ended: the record is final, with a gap that says so", () => {
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.notEqual(readiness(report), "open");
  assert.deepEqual(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    [
      "The evaluation of the checkpoint of micro-step 120 was not certified: canary next_token_oracle failed: 8.7642 nats, at most 0.0001",
    ],
  );
});

test("measured again with success, the certified numbers count and the refuted evaluation stays in the table", () => {
  const later = evaluationEvent(shape, { ...last, endMs: last.endMs + 60_000 });
  const again = buildReport(historyOf([...withNothingElse, later]));
  assert.equal(again.indicators.find(({ metric }) => metric === "eval/loss")?.final?.toFixed(4), "3.7760");
  assert.deepEqual(again.gaps, []);
  assert.equal(again.evaluations.filter(({ microStep }) => microStep === 120n).length, 2);
});

test("an evaluation that says it succeeded, while its own certificate has a canary that failed, has no numbers either", () => {
  const evaluation = evaluationIn(planned) ?? assert.fail();
  const certificate = evaluation.certificate ?? assert.fail();
  const canaries = certificate.canaries.map((canary, index) =>
    index === 1 ? { ...canary, outcome: Canary_Outcome.FAILED } : canary,
  );
  const contradictory = evaluationEvent(shape, last, { certificate: { ...certificate, canaries } });
  const shown = buildReport(historyOf([...others, contradictory]));
  const kept = shown.evaluations.find(({ microStep }) => microStep === 120n);
  assert.deepEqual([kept?.state, kept?.validationLoss], [Evaluation_State.FAILED_CERTIFICATION, undefined]);
  assert.equal(shown.indicators.find(({ metric }) => metric === "eval/loss")?.final, undefined);
});

test("numbers without any certificate are shown as such", () => {
  const bare = evaluationEvent(shape, last);
  delete evaluationIn(bare)?.certificate;
  const { "report.md": markdown } = renderRecord(buildReport(historyOf([...others, bare]))).documents;
  assert.ok(markdown.includes("| ! succeeded, without a certificate |"));
});
