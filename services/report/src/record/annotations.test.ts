/** Words and points that came later: all stay, the last point of each author and aspect counts, and a mean is computed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Finding_Kind, Gap_Kind, Score_Subject as Subject, Verdict } from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { type AnnotationFields, annotationEvent } from "../test-support/annotation-events.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { recipeOf } from "../test-support/run-facts.ts";
import { experimentOf, runShape, smallRun } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";
import { changeSums, knownChanges } from "./changes.ts";

const recipe = recipeOf(smallRun);
recipe.targets.push({ $typeName: "pretrain.train.v1.Target", metric: "eval/quality", comparison: ">", value: 3.5 });
const shape = runShape({ recipe });
const experiment = experimentOf(shape);
const all = runEvents(shape);

/** One annotation a second, in this order. */
function reportOf(...fields: readonly AnnotationFields[]) {
  const later = fields.map((each, index) =>
    annotationEvent(experiment, `a${index}`, shape.startMs + 1000 * index, each),
  );
  return buildReport(historyOf([...all, ...shuffled(later)]));
}

/** Equal ledgers give equal records, whatever came first. */
function shuffled(events: readonly LedgerEvent[]): LedgerEvent[] {
  return events.toReversed();
}

const points = (subject: Subject, value: number, aspect = "", author = "林岚"): AnnotationFields => ({
  author,
  content: { case: "score", value: { subject, points: value, aspect } },
});
const aspects = [
  points(1, 3, "coherence"),
  points(1, 4, "fluency"),
  points(1, 7, "diversity"),
  points(1, 2, "accuracy"),
];

test("3, 4, 7 and 2 points for the text are 4.0 of 10, which is more than the target of 3.5", () => {
  const report = reportOf(...aspects);
  assert.deepEqual(
    report.scores.map(({ subject, count, mean }) => [subject, count, mean]),
    [[Subject.QUALITY, 4, 4]],
  );
  const quality = report.indicators.find(({ metric }) => metric === "eval/quality");
  assert.deepEqual([quality?.final, quality?.unit, quality?.verdict], [4, "of 10", Verdict.MET]);
  assert.equal(quality?.basis?.count, 4n);
});

test("without points a target for quality is undecided, and a run without that target has no such row", () => {
  const verdict = reportOf().indicators.find(({ metric }) => metric === "eval/quality")?.verdict;
  assert.equal(verdict, Verdict.UNDECIDED);
  const plain = buildReport(historyOf(runEvents()));
  assert.equal(
    plain.indicators.some(({ metric }) => metric === "eval/quality"),
    false,
  );
});

test("of an author and an aspect the last points count, of two authors both, of superseded ones none", () => {
  const meanOf = (...fields: AnnotationFields[]) => reportOf(...fields).scores[0]?.mean;
  assert.equal(meanOf(points(1, 3, "fluency"), points(1, 5, "fluency")), 5);
  assert.equal(meanOf(points(1, 3, "fluency"), points(1, 5, "fluency", "a rule")), 4);
  const instead = { ...points(1, 6, "coherence"), supersedes: `${experiment}/annotations/a0` };
  assert.equal(meanOf(points(1, 3, "fluency"), instead), 6);
});

test("goal, success and trust have their own means and are no part of the quality", () => {
  const report = reportOf(...aspects, points(2, 8), points(3, 9), points(4, 9), points(4, 7, "", "a model"));
  assert.deepEqual(
    report.scores.map(({ subject, mean }) => [subject, mean]),
    [
      [Subject.QUALITY, 4],
      [Subject.GOAL, 8],
      [Subject.SUCCESS, 9],
      [Subject.TRUST, 8],
    ],
  );
});

test("annotations stand in the record oldest first, superseded ones too; one that supersedes what is not there is a gap", () => {
  const finding = (text: string, supersedes = ""): AnnotationFields => ({
    supersedes,
    content: { case: "finding", value: { kind: Finding_Kind.NOTE, text } },
  });
  const report = reportOf(finding("one"), finding("two", `${experiment}/annotations/a0`), finding("three", "lost"));
  assert.deepEqual(
    report.annotations.map(({ content }) => content.case === "finding" && content.value.text),
    ["one", "two", "three"],
  );
  assert.deepEqual(
    report.gaps.map(({ kind, subject, detail }) => [kind, subject, detail]),
    [[Gap_Kind.SUPERSEDED_ANNOTATION, "lost", `${experiment}/annotations/a2`]],
  );
});

test("an event that takes an annotation's name later changes no word of it, and is told as a contradiction", () => {
  const said = (text: string, timeMs: number) =>
    annotationEvent(experiment, "a", timeMs, {
      content: { case: "finding", value: { kind: Finding_Kind.NOTE, text } },
    });
  const [first, forged] = [said("first", shape.startMs), said("forged", shape.startMs + 5000)];
  for (const order of [
    [first, forged],
    [forged, first],
  ]) {
    const { annotations, gaps } = buildReport(historyOf([...all, ...order]));
    assert.deepEqual(
      annotations.map(({ content }) => content.case === "finding" && content.value.text),
      ["first"],
    );
    assert.deepEqual(
      gaps.map(({ kind, subject }) => [kind, subject]),
      [[Gap_Kind.CONTRADICTION, "annotation"]],
    );
  }
});

test("files and lines of the change record are added up; what somebody says later takes the place of what was sealed", () => {
  const sealed = { path: "run.sh", kind: "added", addedLines: 336n, deletedLines: 0n };
  const binary = { path: "logo.png", kind: "added" };
  const later = [sealed, { path: "model.py", kind: "modified", addedLines: 2n, deletedLines: 3n }, binary];
  const report = reportOf({ content: { case: "changes", value: { files: later } } });
  assert.deepEqual(knownChanges(reportOf()), undefined);
  const known = knownChanges(report);
  assert.equal(known?.annotation?.name, `${experiment}/annotations/a0`);
  assert.deepEqual(changeSums(known?.changes), { files: 3, addedLines: 338, deletedLines: 3, uncountedFiles: 1 });
});
