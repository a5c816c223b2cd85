/** Verdicts were fixed before the run: nothing that the ledger takes later moves a target, a rule or a prediction. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Experiment_State, Gap_Kind, PredictionSchema, type Report, TargetSchema, Verdict } from "@pretrain/proto";
import { completeRecipe, recipeSha256 } from "@pretrain/recipe";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { annotationEvent } from "../test-support/annotation-events.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { attempt, runEvents, state } from "../test-support/run-events.ts";
import { recipeOf } from "../test-support/run-facts.ts";
import { experimentOf, runShape, smallRun } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";

const shape = runShape();
const all = runEvents();
const reportOf = (...later: readonly LedgerEvent[]) => buildReport(historyOf([...all, ...later]));

/** The same experiment with targets that its outcome meets. */
const easier = completeRecipe({
  ...recipeOf(smallRun),
  targets: [create(TargetSchema, { metric: "eval/perplexity", comparison: "<", value: 1000 })],
  predictions: [create(PredictionSchema, { metric: "eval/loss", low: 0, high: 9 })],
  hypotheses: [],
});
const forged = runShape({ recipe: easier });

function judgementsOf({ recipeSha256: sealed, recipe, moments, indicators, predictions, hypotheses }: Report) {
  const verdicts = indicators.filter(({ target }) => target).map(({ metric, verdict }) => [metric, verdict]);
  return {
    sealed,
    at: moments?.created,
    targets: recipe?.targets.length,
    verdicts,
    hits: predictions.map(({ hit }) => hit),
    hypotheses,
  };
}

test("the recipe was sealed before the first step began, and its digest is that of the recipe in the record", () => {
  const { moments, recipe, recipeSha256: sealed } = reportOf();
  const [created, first] = [moments?.created, moments?.trainingStarted];
  assert.ok(created && first && recipe && timestampMs(created) < timestampMs(first));
  assert.equal(recipeSha256(recipe), sealed);
});

test("targets, predictions and hypotheses that come later by any event change no verdict", () => {
  const expected = judgementsOf(reportOf());
  assert.ok(expected.verdicts.some(([metric, verdict]) => metric === "eval/perplexity" && verdict === Verdict.MISSED));
  const { startMs } = shape;
  const hypothesis = { statement: "perplexity stays below a thousand", result: "so it did" };
  for (const [claim, ...later] of [
    ["another first transition, later", state(forged, 1, startMs + 900_000, Experiment_State.QUEUED)],
    ["another first transition, of an earlier time", state(forged, 1, startMs - 9000, Experiment_State.QUEUED)],
    ["one that claims the digest of the sealed recipe", withSealedDigest(state(forged, 1, 1, Experiment_State.QUEUED))],
    [
      "a further transition that carries a recipe",
      withRecipe(state(shape, 5, startMs + 900_000, Experiment_State.COMPLETED)),
    ],
    ["another attempt", attempt(forged, 2, startMs + 900_000, 120)],
    [
      "a later hypothesis",
      annotationEvent(experimentOf(shape), "a", startMs, { content: { case: "hypothesis", value: hypothesis } }),
    ],
  ] as const) {
    assert.deepEqual(judgementsOf(reportOf(...later)), expected, claim);
  }
});

test("somebody's second first transition is told as a contradiction", () => {
  const report = reportOf(state(forged, 1, shape.startMs + 900_000, Experiment_State.QUEUED));
  assert.deepEqual(
    report.gaps.map(({ kind, subject, first }) => [kind, subject, first]),
    [[Gap_Kind.CONTRADICTION, "state", 1n]],
  );
});

test("a hypothesis that was made later is an annotation and never among those that were sealed", () => {
  const value = { statement: "默认参数能正常训练", result: "成功", confidence: 0.95 };
  const later = annotationEvent(experimentOf(shape), "a", shape.startMs, { content: { case: "hypothesis", value } });
  const report = reportOf(later);
  assert.equal(report.hypotheses.length, 1);
  assert.equal(report.hypotheses[0]?.hypothesis?.statement, shape.recipe.hypotheses[0]?.statement);
  assert.equal(report.annotations[0]?.content.case, "hypothesis");
});

function withSealedDigest(event: LedgerEvent): LedgerEvent {
  assert.ok(event.kind === "state");
  return { kind: "state", message: { ...event.message, recipeSha256: recipeSha256(shape.recipe) } };
}

function withRecipe(event: LedgerEvent): LedgerEvent {
  assert.ok(event.kind === "state");
  return { kind: "state", message: { ...event.message, recipe: easier, recipeSha256: recipeSha256(easier) } };
}
