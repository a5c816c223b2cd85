/** What the record says of runs that are under way, were interrupted, failed, or of which events are missing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CalibrationSchema,
  CheckpointRemovedSchema,
  type Evaluation,
  Evaluation_State,
  Experiment_Reason,
  Experiment_State,
  LossSchema,
  OriginSchema,
  type Report,
  Report_Completeness,
  Verdict,
} from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { phrasesOf } from "../rendering/language/phrases.ts";
import { gapSentence } from "../rendering/sentences/gap-sentence.ts";
import { checkpointEvent } from "../test-support/checkpoint-events.ts";
import { evaluationEvent } from "../test-support/evaluation-events.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { attempt, beginning, ending, runEvents, state, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { stepEvents } from "../test-support/step-events.ts";
import { buildReport } from "./build-report.ts";

const shape = runShape();
const all = runEvents();
const isStep = (event: LedgerEvent, ...numbers: number[]) =>
  event.kind === "step" && numbers.includes(Number(event.message.microStep));

function reportOf(events: readonly LedgerEvent[]): Report {
  return buildReport(historyOf(events));
}

function verdictOf(report: Report, metric: string): Verdict | undefined {
  return report.indicators.find((row) => row.metric === metric)?.verdict;
}

test("a complete run has no gaps, a final record, and a verdict for each target", () => {
  const report = reportOf(all);
  assert.deepEqual(report.gaps, []);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.equal(report.title, "1.4.0");
  const judged = report.indicators.filter(({ target }) => target).map(({ metric, verdict }) => [metric, verdict]);
  assert.deepEqual(judged, [
    ["train/loss", Verdict.EXCELLENT], // 3.5 < 4
    ["train/loss_reduction", Verdict.MET], // more than a third
    ["eval/perplexity", Verdict.MISSED], // 43 is not < 20
    ["eval/train_inference_gap", Verdict.MET], // the plan's own bound of 0.5 nats
  ]);
  assert.equal(report.hypotheses[0]?.verdict, Verdict.MET);
  assert.equal(report.files.length, 9); // three parts of three checkpoints
  assert.equal(report.files[0]?.name, "checkpoints/40/model.safetensors");
});

test("while the run goes on every number is shown and no target is met or missed", () => {
  const report = reportOf(all.filter((event) => event.kind !== "state" || event.message.sequence < 4));
  assert.equal(report.completeness, Report_Completeness.OPEN);
  assert.equal(report.execution?.state, Experiment_State.RUNNING);
  assert.ok((report.indicators[0]?.final ?? 9) < 4);
  assert.equal(verdictOf(report, "train/loss"), Verdict.UNDECIDED);
  assert.equal(report.predictions[0]?.hit, undefined);
  const waiting = reportOf(
    all.filter((event) => (event.kind !== "state" || event.message.sequence < 4) && event.kind !== "evaluation"),
  );
  assert.deepEqual(waiting.gaps, []); // an evaluation that has not ended is no gap yet
});

test("a completed run whose last evaluation is still to come has verdicts for training only, and is open", () => {
  const report = reportOf(
    all.filter((event) => event.kind !== "evaluation" || event.message.evaluation?.microStep !== 120n),
  );
  assert.equal(verdictOf(report, "train/loss"), Verdict.EXCELLENT);
  assert.equal(verdictOf(report, "eval/perplexity"), Verdict.UNDECIDED);
  assert.equal(report.completeness, Report_Completeness.OPEN);
  assert.deepEqual(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["The evaluation of the checkpoint of micro-step 120 has not ended."],
  );
  assert.equal(report.indicators.find(({ metric }) => metric === "eval/perplexity")?.basis?.checkpointMicroStep, 80n);
});

test("a failed evaluation gives no number: not its own, not that of an earlier checkpoint", () => {
  const report = reportOf(all.map((event) => (isEvaluationOf(event, 120n) ? failed(event) : event)));
  const perplexity = report.indicators.find(({ metric }) => metric === "eval/perplexity");
  assert.equal(perplexity?.final, undefined);
  assert.equal(perplexity?.verdict, Verdict.UNDECIDED);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.deepEqual(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["The evaluation of the checkpoint of micro-step 120 failed: digest of model.safetensors"],
  );
});

test("best is the smallest of a loss and the largest of an accuracy, each with its checkpoint", () => {
  const sure = create(CalibrationSchema, { bins: [{ low: 0, high: 1, tokens: 10n, confidenceSum: 9, correct: 9n }] });
  const report = reportOf(
    all.map((event) => (isEvaluationOf(event, 80n) ? changed(event, { calibration: sure }) : event)),
  );
  const bestOf = (name: string) => {
    const found = report.indicators.find(({ metric }) => metric === name);
    return [found?.best?.toFixed(4), found?.bestMicroStep];
  };
  assert.deepEqual(bestOf("eval/loss"), ["3.7760", 120n]);
  assert.deepEqual(bestOf("eval/top1_accuracy"), ["0.9000", 80n]);
  assert.deepEqual(bestOf("eval/calibration_error"), ["0.0000", 80n]);
});

test("where no row is long enough for a sample there is no gap to judge, and no verdict is missing for it", () => {
  const nothing = create(LossSchema, { nats: 0, tokens: 0n });
  const events = all.map((event) =>
    isEvaluationOf(event, 120n) ? changed(event, { inferenceLoss: nothing, samples: [] }) : event,
  );
  assert.equal(verdictOf(reportOf(events), "eval/train_inference_gap"), Verdict.UNSPECIFIED);
});

test("a completed run is not final before its last checkpoint is known, however many others are evaluated", () => {
  const isLast = (event: LedgerEvent) => event.kind === "checkpoint" && event.message.checkpoint?.microStep === 120n;
  const report = reportOf(all.filter((event) => !isLast(event)));
  assert.equal(report.completeness, Report_Completeness.OPEN);
  assert.deepEqual(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["The checkpoint at the end of training is missing."],
  );
});

test("a run that was stopped early is whole when it has everything up to where it completed", () => {
  const isBefore = (event: LedgerEvent) =>
    (event.kind !== "step" || event.message.microStep <= 80n) &&
    (event.kind !== "checkpoint" || (event.message.checkpoint?.microStep ?? 0n) <= 80n) &&
    !isEvaluationOf(event, 120n);
  const early = all.filter(isBefore).map((event) => {
    if (event.kind !== "state" || event.message.to !== Experiment_State.COMPLETED) return event;
    return { ...event, message: { ...event.message, reason: Experiment_Reason.STOPPED_EARLY, microStep: 80n } };
  });
  const report = reportOf(early);
  assert.deepEqual(report.gaps, []);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.notEqual(verdictOf(report, "eval/perplexity"), Verdict.UNDECIDED); // its last checkpoint is the run's
  const short = reportOf(early.filter((event) => !isStep(event, 79, 80)));
  assert.deepEqual(
    short.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["Micro-steps 79 to 80 are missing."],
  );
  assert.equal(short.completeness, Report_Completeness.OPEN);
});

test("an import that trains nothing is whole with its checkpoint 0 and that one's evaluation", () => {
  const none = runShape({ epochs: 0 });
  const [first, ...others] = beginning(none);
  assert.ok(first?.kind === "state");
  const origin = create(OriginSchema, { imported: { source: "imports/a" } });
  const imported = { ...first, message: { ...first.message, origin } };
  const at = { attempt: 1, microStep: 0, endMs: none.startMs + 20_000 };
  const kept = [imported, ...others, checkpointEvent(none, at), evaluationEvent(none, at, {}, 4), ...ending(none)];
  const report = reportOf(kept);
  assert.deepEqual([report.gaps, report.completeness], [[], Report_Completeness.FINAL]);
  assert.deepEqual([report.training?.microSteps, report.checkpoints.length], [0n, 1]);
  assert.notEqual(verdictOf(report, "eval/perplexity"), Verdict.UNDECIDED);
  assert.equal(verdictOf(report, "train/loss"), Verdict.UNDECIDED);
  const withoutIt = reportOf(kept.filter((event) => event.kind !== "checkpoint"));
  assert.deepEqual(
    withoutIt.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["The checkpoint at the end of training is missing."],
  );
});

test("a checkpoint that its recipe's rule removed is no gap: the record says when and why, and lists no file of it", () => {
  const written = all.find((event) => event.kind === "checkpoint" && event.message.checkpoint?.microStep === 40n);
  assert.ok(written?.kind === "checkpoint" && written.message.checkpoint !== undefined);
  const { experiment, attempt, attemptNonce, time, checkpoint } = written.message;
  const deleteTime = timestampFromMs(1_779_010_300_000);
  const gone = { ...checkpoint, deleteTime, deleteReason: "kept are keep_last 2, keep_best 0, keep_every 0" };
  const removal = { experiment, attempt, attemptNonce, ...(time && { time }), checkpoint: gone };
  const report = reportOf([...all, { kind: "removal", message: create(CheckpointRemovedSchema, removal) }]);
  assert.deepEqual(report.gaps, []);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.deepEqual(
    report.checkpoints.map((each) => each.deleteReason),
    [gone.deleteReason, "", ""],
  );
  assert.equal(report.files.length, 6);
  assert.equal(report.evaluations.length, reportOf(all).evaluations.length); // what was measured stays
  const other = { ...removal, checkpoint: { ...gone, manifestSha256: "0".repeat(64) } };
  const another = reportOf([...all, { kind: "removal", message: create(CheckpointRemovedSchema, other) }]);
  assert.equal(another.files.length, 9);
});

test("an evaluation of other bytes than the checkpoint's is not the checkpoint's evaluation", () => {
  const other = all.map((event) =>
    isEvaluationOf(event, 120n) ? changed(event, { checkpointSha256: "0".repeat(64) }) : event,
  );
  assert.equal(verdictOf(reportOf(other), "eval/perplexity"), Verdict.UNDECIDED);
});

test("missing micro-steps are named, and a run without its last one has no final loss to judge", () => {
  const middle = reportOf(all.filter((event) => !isStep(event, 12, 13, 50)));
  assert.deepEqual(
    middle.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["Micro-steps 12 to 13 are missing.", "Micro-step 50 is missing."],
  );
  assert.equal(verdictOf(middle, "train/loss"), Verdict.EXCELLENT);
  const end = reportOf(all.filter((event) => !isStep(event, 119, 120)));
  assert.deepEqual(
    end.gaps.map((gap) => gapSentence(gap, phrasesOf("en"))),
    ["Micro-steps 119 to 120 are missing."],
  );
  assert.equal(end.completeness, Report_Completeness.OPEN);
  assert.equal(verdictOf(end, "train/loss"), Verdict.UNDECIDED);
});

test("an attempt that went on from a checkpoint replaces what came after it, and only that", () => {
  // Attempt 1 vanished after micro-step 60; attempt 2 went on from 40 and is at 50.
  const first = training(shape).filter((event) => event.kind === "step" && event.message.microStep <= 60n);
  const second = Array.from({ length: 10 }, (_, index) =>
    stepEvents(shape, { attempt: 2, microStep: 41 + index, endMs: shape.startMs + 90_000 + index * 800 }, () => 1),
  ).flat();
  const events = [...beginning(shape), ...first, attempt(shape, 2, shape.startMs + 80_000, 40), ...second];
  const history = historyOf(events);
  const steps = [...history.steps];
  assert.equal(steps.length, 50);
  assert.deepEqual([steps[39]?.attempt, steps[40]?.attempt, steps.at(-1)?.microStep], [1, 2, 50]);
  const report = buildReport(history);
  assert.equal(report.training?.microSteps, 50n);
  assert.equal(report.execution?.attempts.length, 2);
});

test("a cancelled run is over, and its targets stay undecided: its loss is not the loss at the end of training", () => {
  const cancelled = state(shape, 4, shape.startMs + 40_000, Experiment_State.CANCELLED, "asked for");
  const steps = training(shape).filter((event) => event.kind === "step" && event.message.microStep <= 30n);
  const report = reportOf([...beginning(shape), ...steps, cancelled]);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.equal(report.execution?.message, "asked for");
  assert.equal(verdictOf(report, "train/loss"), Verdict.UNDECIDED);
  assert.deepEqual(report.gaps, []);
});

test("an experiment that was only accepted has a record too", () => {
  const report = reportOf(beginning(shape).slice(0, 1));
  assert.equal(report.execution?.state, Experiment_State.QUEUED);
  assert.equal(report.recipe?.intent?.expectedResult, "获取baseline");
  assert.equal(report.training?.firstLoss, undefined);
  assert.deepEqual(report.gaps, []);
});

test("without its beginning a record says so, and calls itself by the id", () => {
  const report = reportOf([...training(shape), ...ending(shape)]);
  assert.equal(report.title, "1-4-0");
  assert.equal(
    report.gaps.map((gap) => gapSentence(gap, phrasesOf("en")))[0],
    "The first transition with the recipe is missing.",
  );
});

test("the same history gives the same record, and the recipe is in it once", () => {
  assert.deepEqual(reportOf(all), reportOf([...all].reverse()));
  assert.equal(reportOf(all).execution?.transitions[0]?.recipe, undefined);
});

function isEvaluationOf(event: LedgerEvent, microStep: bigint): boolean {
  return event.kind === "evaluation" && event.message.evaluation?.microStep === microStep;
}

function failed(event: LedgerEvent): LedgerEvent {
  return changed(event, { state: Evaluation_State.FAILED, error: "digest of model.safetensors" });
}

function changed(event: LedgerEvent, difference: Partial<Omit<Evaluation, "$typeName">>): LedgerEvent {
  assert.ok(event.kind === "evaluation" && event.message.evaluation);
  return {
    kind: "evaluation",
    message: { ...event.message, evaluation: { ...event.message.evaluation, ...difference } },
  };
}

/** A run of which the steps up to 40 were a parent's. */
function forkEvents(): LedgerEvent[] {
  const origin = create(OriginSchema, {
    checkpoint: "experiments/1-3-0/checkpoints/40",
    manifestSha256: "a".repeat(64),
    microStep: 40n,
    differences: [{ field: "training.learning_rate", parent: "0.0002", fork: "0.0001" }],
  });
  return all.flatMap((event): LedgerEvent[] => {
    if (event.kind === "state" && event.message.sequence === 1)
      return [{ ...event, message: { ...event.message, origin } }];
    if (event.kind === "attempt") return [{ ...event, message: { ...event.message, resumedFromMicroStep: 40n } }];
    if (event.kind === "step" || event.kind === "memory") return event.message.microStep > 40n ? [event] : [];
    return [event];
  });
}

test("a fork's record begins behind its parent's steps: they are no gap, and its own are counted alone", () => {
  const report = reportOf(forkEvents());
  assert.deepEqual(report.gaps, []);
  assert.equal(report.completeness, Report_Completeness.FINAL);
  assert.equal(report.training?.microSteps, 80n);
  assert.equal(report.training?.optimizerSteps, 20n); // of 4 micro-steps each
  assert.equal(report.origin?.checkpoint, "experiments/1-3-0/checkpoints/40");
  assert.deepEqual(
    reportOf(forkEvents().filter((event) => !isStep(event, 41, 42))).gaps.map((gap) =>
      gapSentence(gap, phrasesOf("en")),
    ),
    ["Micro-steps 41 to 42 are missing."],
  );
});
