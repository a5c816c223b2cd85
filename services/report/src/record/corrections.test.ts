/** Corrections in the record: the old number stays, decides nothing any more, and the change is of the old one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Evaluation, Evaluation_State, LossSchema, Report_Completeness, Verdict } from "@pretrain/proto";
import { curvesOf } from "../curves/curves-of-experiments.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { documentOfReport } from "../rendering/document-of-report.ts";
import { phrasesOf } from "../rendering/language/phrases.ts";
import { renderRecord } from "../rendering/render-record.ts";
import { gapSentence } from "../rendering/sentences/gap-sentence.ts";
import { correctionEvent, evaluationEvent } from "../test-support/evaluation-events.ts";
import { historyOf, ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { recipeOf } from "../test-support/run-facts.ts";
import { runShape, smallRun } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";
import { effectiveCorrections } from "./corrections.ts";

// The slip of experiment 1.4.0: 12.34 nats per token, where the right slice gives 2.26.
const recipe = recipeOf(smallRun);
recipe.targets.push({
  $typeName: "pretrain.train.v1.Target",
  metric: "eval/inference_loss",
  comparison: "<",
  value: 3,
});
const shape = runShape({ recipe });
const last = { attempt: 1, microStep: 120, endMs: shape.startMs + 200_000 };
const slip = evaluationEvent(shape, last, { inferenceLoss: lossOf(12.34) });
const cause = "the slice [-predict_length:] begins one token late";
const correction = correctionEvent(shape, { ...last, endMs: last.endMs + 60_000 }, { nats: 2.26, cause });
const others = runEvents(shape).filter((event) => nameOf(event) !== nameOf(slip));
const [oldName, newName] = [nameOf(slip), nameOf(correction)];

function lossOf(nats: number) {
  return create(LossSchema, { nats: nats * 1000, tokens: 1000n, natsPerToken: nats });
}

function nameOf(event: LedgerEvent): string {
  return event.kind === "evaluation" ? (event.message.evaluation?.name ?? "") : "";
}

function reportOf(...evaluations: readonly LedgerEvent[]) {
  return buildReport(historyOf([...others, ...evaluations]));
}

function inferenceLoss(report: ReturnType<typeof buildReport>) {
  const found = report.indicators.find(({ metric }) => metric === "eval/inference_loss");
  return [found?.final, found?.verdict] as const;
}

/** The event with other fields of its evaluation. */
function otherwise(event: LedgerEvent, fields: Partial<Evaluation>): LedgerEvent {
  assert.ok(event.kind === "evaluation" && event.message.evaluation);
  return {
    kind: "evaluation",
    message: { ...event.message, evaluation: { ...event.message.evaluation, ...fields } },
  };
}

test("12.34 to 2.26 is -81.7 %, and it is the new number that meets the target", () => {
  assert.deepEqual(inferenceLoss(reportOf(slip)), [12.34, Verdict.MISSED]);
  const report = reportOf(slip, correction);
  assert.deepEqual(inferenceLoss(report), [2.26, Verdict.MET]);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.deepEqual(report.gaps, []);
  const [{ correction: by, corrected, numbers } = assert.fail()] = effectiveCorrections(report.evaluations);
  assert.deepEqual([by.name, corrected?.name], [newName, oldName]);
  const change = numbers.find(({ metric }) => metric === "eval/inference_loss");
  assert.deepEqual([change?.before, change?.after, change?.changePercent?.toFixed(3)], [12.34, 2.26, "-81.686"]);
  assert.equal(numbers.find(({ metric }) => metric === "eval/loss")?.changePercent, 0);
});

test("the gap of training and inference loss is judged by the plan's rule, with the number that stands", () => {
  const gapOf = (report: ReturnType<typeof buildReport>) => {
    const gap = report.indicators.find(({ metric }) => metric === "eval/train_inference_gap");
    const { comparison, value } = gap?.target ?? {};
    return [gap?.final?.toFixed(2), `${comparison} ${value}`, gap?.verdict];
  };
  assert.deepEqual(gapOf(reportOf(slip)), ["8.85", "<= 0.5", Verdict.MISSED]); // 12.34 - 3.49 in training
  const near = correctionEvent(shape, { ...last, endMs: last.endMs + 60_000 }, { nats: 3.2, cause });
  assert.deepEqual(gapOf(reportOf(slip, near)), ["0.29", "<= 0.5", Verdict.MET]);
});

test("the old evaluation stays in the record, whole, marked by which it is superseded; no sample, curve or best uses it", async () => {
  const report = reportOf(slip, correction);
  const old = report.evaluations.find(({ name }) => name === oldName);
  assert.deepEqual([old?.inferenceLoss?.natsPerToken, old?.supersededBy], [12.34, newName]);
  const best = report.indicators.find(({ metric }) => metric === "eval/inference_loss")?.best;
  assert.equal(best, 2.26);
  const question = { experiment: "1-4-0", metrics: ["eval/inference_loss"], from: 0, to: 0, maximumBuckets: 1000 };
  const [curve] = await curvesOf(ledgerOf([...others, slip, correction])).read(question);
  assert.equal(curve?.at(-1)?.mean, 2.26);
});

test("it follows from the correction's own event, whatever the order and the number of deliveries", () => {
  const events = [...others, slip, correction];
  const expected = renderRecord(buildReport(historyOf(events))).sha256;
  for (const order of [[...events].reverse(), [correction, ...others, slip], [...events, correction, slip]]) {
    assert.equal(renderRecord(buildReport(historyOf(order))).sha256, expected);
  }
  const claimed = otherwise(slip, { supersededBy: "evaluations/1-4-0-120-dddddddd" });
  assert.deepEqual(inferenceLoss(reportOf(claimed)), [12.34, Verdict.MISSED]); // an event's own word for it is nothing
});

test("a correction that failed, or of another checkpoint or of other bytes, takes nobody's place", () => {
  const supersedes = correction.kind === "evaluation" ? correction.message.evaluation?.supersedes : undefined;
  assert.ok(supersedes);
  for (const useless of [
    otherwise(correction, { state: Evaluation_State.FAILED, error: "gone" }),
    otherwise(correction, { state: Evaluation_State.FAILED_CERTIFICATION }),
    otherwise(correction, { checkpoint: "experiments/1-4-0/checkpoints/80", microStep: 80n }),
    otherwise(correction, { checkpointSha256: "0".repeat(64) }),
  ]) {
    const report = reportOf(slip, useless);
    assert.deepEqual(inferenceLoss(report), [12.34, Verdict.MISSED]);
    assert.equal(report.evaluations.find(({ name }) => name === oldName)?.supersededBy, "");
    assert.equal(report.completeness, Report_Completeness.FINAL);
  }
});

test("of two corrections made side by side the one that ended last stands; a corrected correction gives way", () => {
  const later = { ...last, endMs: last.endMs + 90_000 };
  const rival = otherwise(correctionEvent(shape, later, { nats: 2.5, cause }), { name: `${oldName}-a00dfeed` });
  const report = reportOf(slip, rival, correction);
  assert.deepEqual(inferenceLoss(report), [2.5, Verdict.MET]);
  assert.ok(
    renderRecord(report).documents["report.md"].includes("| Mean loss of the samples (nats over tokens) | 2.5000 \\["),
  );
  const supersededBy = Object.fromEntries(report.evaluations.map(({ name, supersededBy }) => [name, supersededBy]));
  assert.deepEqual([supersededBy[oldName], supersededBy[newName]], [nameOf(rival), nameOf(rival)]);
  assert.deepEqual(
    effectiveCorrections(report.evaluations).map(({ correction: { name } }) => name),
    [nameOf(rival)],
  );
  const second = correctionEvent(shape, later, { nats: 2.27, cause: "a typing error" });
  assert.ok(second.kind === "evaluation" && second.message.evaluation?.supersedes);
  const supersedes = { ...second.message.evaluation.supersedes, evaluation: newName };
  const chain = reportOf(slip, correction, otherwise(second, { name: `${oldName}-eeeeeeee`, supersedes }));
  assert.deepEqual(inferenceLoss(chain), [2.27, Verdict.MET]);
  assert.equal(effectiveCorrections(chain.evaluations).length, 2);
});

test("a correction whose old evaluation is missing stands, and the record says what is missing", () => {
  const report = reportOf(correction);
  assert.deepEqual(inferenceLoss(report), [2.26, Verdict.MET]);
  assert.deepEqual(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    [`${oldName}, which ${newName} corrects, is missing.`],
  );
  const { "report.md": markdown } = renderRecord(report).documents;
  assert.ok(markdown.includes("| `eval/inference_loss` | – | 2.2600 | – |"), markdown);
});

test("the record shows old and new value, change, cause, fix and author, and marks the old row", () => {
  const { "report.md": markdown, "report.html": html } = renderRecord(reportOf(slip, correction)).documents;
  for (const fact of [
    "| `eval/inference_loss` | 12.3400 | 2.2600 | \\-81.7 % |",
    "| Superseded | `evaluations/1-4-0-120` |",
    "| By | `evaluations/1-4-0-120-c4a11e0d` |",
    "| Author | 林岚 |",
    `**Cause**\n\n\`\`\`text\n${cause}\n\`\`\``,
    "**Fix**\n\n```text\nlogits[input_length-1 : input_length+predict_length-1]\n```",
    "| 19.0 s | → superseded by evaluations/1-4-0-120-c4a11e0d |",
    "| 19.0 s | ✓ succeeded, corrects evaluations/1-4-0-120 |",
    "| Mean loss of the samples (nats over tokens) | 2.2600 \\[",
  ]) {
    assert.ok(markdown.includes(fact), fact);
  }
  for (const fact of ["12.3400", "-81.7 %", "林岚", cause]) assert.ok(html.includes(fact), fact);
  const none = documentOfReport(reportOf(slip), "en").sections.find(({ id }) => id === "corrections");
  assert.deepEqual(none?.blocks, [{ kind: "paragraph", text: "none" }]);
});
