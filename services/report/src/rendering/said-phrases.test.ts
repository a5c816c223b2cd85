/** Every phrase of the catalogue is said by some record: what none says is left over, or forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clone, create } from "@bufbuild/protobuf";
import {
  Evaluation_State,
  Experiment_Reason,
  Experiment_State,
  LogLine_Level,
  OriginSchema,
  type Report,
  ReportSchema,
  Warning_Kind,
} from "@pretrain/proto";
import { buildReport } from "../record/build-report.ts";
import { everythingReport } from "../test-support/everything-report.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { beginning, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { phrasesOf } from "./language/phrases.ts";
import { renderRecord } from "./render-record.ts";

/** Entries that are looked up by a name or a number of the data. */
const lookedUp = [
  "language",
  "metric.",
  "parameter.",
  "word.states.",
  "word.reasons.",
  "execution.phaseNames.",
  "evaluation.samples.stopReasons.",
  "intent.changes.fileKinds.",
  "judgement.authorKinds.",
  "judgement.scores.aspects.",
  "judgement.completion.states.",
];

/** Notes each phrase that is read from now on. @returns every path, and the ones that were read */
function watch(part: object, all: Set<string>, said: Set<string>, path = ""): void {
  for (const [name, value] of Object.entries(part)) {
    const here = path === "" ? name : `${path}.${name}`;
    if (typeof value === "object") watch(value, all, said, here);
    else {
      all.add(here);
      Object.defineProperty(part, name, {
        get: () => {
          said.add(here);
          return value;
        },
      });
    }
  }
}

/** A report with one thing otherwise. */
function otherwise(change: (report: Report) => void): Report {
  const report = clone(ReportSchema, everythingReport());
  change(report);
  return report;
}

const reports: readonly Report[] = [
  everythingReport(),
  buildReport(historyOf(runEvents())),
  buildReport(historyOf(beginning(runShape()).slice(0, 1))),
  create(ReportSchema, { name: "experiments/1-4-0/report" }),
  otherwise((report) => {
    report.origin = create(OriginSchema, { checkpoint: "experiments/1-3-0/checkpoints/40", differences: [] });
    report.warnings = [];
    report.gaps = [];
    report.unsupportedNumbers = [];
    if (report.execution) report.execution.state = Experiment_State.RUNNING;
    if (report.continuity) report.continuity.interruptions = 0;
  }),
  otherwise((report) => {
    const differences = [{ field: "training.seed", parent: "42", fork: "" }];
    report.origin = create(OriginSchema, { checkpoint: "experiments/1-3-0/checkpoints/40", differences });
    if (report.continuity) report.continuity.missingMicroSteps = 3n;
    delete report.training?.largestGradientNorm;
    for (const evaluation of report.evaluations) {
      delete evaluation.inferenceInterval;
      delete evaluation.overlap;
      if (evaluation.settings) evaluation.settings.stride = 64;
    }
    if (report.training) report.training.lastLoss = 99;
    for (const epoch of report.training?.epochs ?? []) epoch.lastLoss *= 1.5 + epoch.epoch;
  }),
  otherwise((report) => {
    const files = [{ name: "model.safetensors", sizeBytes: 1n, sha256: "ab" }];
    report.origin = create(OriginSchema, { imported: { source: "imports/minimind", layout: "half_split", files } });
    if (report.continuity) report.continuity.repeatedMicroSteps = 0n;
    if (report.training) report.training.largestRise = 0;
    if (report.execution) {
      report.execution.reason = Experiment_Reason.OUT_OF_RESOURCES;
      const [attempt] = report.execution.attempts;
      if (attempt) Object.assign(attempt, { resumedFromMicroStep: 8n, inexact: ["threads: 2, now 4"] });
      const [phase] = report.execution.phases;
      if (phase) phase.succeeded = false;
    }
    report.annotations = report.annotations.filter(({ content }) => content.case !== "changes");
    const [failed] = report.evaluations;
    if (failed) failed.state = Evaluation_State.FAILED;
    report.evaluations = report.evaluations.filter(({ supersededBy }) => supersededBy === "");
    const [line] = report.log;
    if (line) line.level = LogLine_Level.ERROR;
  }),
  otherwise((report) => {
    if (report.continuity) report.continuity.unequalRepetitions = 1n;
    if (report.memory) {
      Object.assign(report.memory, {
        lastReservedBytes: 2n,
        peakReservedBytes: 3n,
        tensorShareOfReserved: 0.5,
        reservedShareOfDevice: 0.06,
      });
    }
    if (report.environment) {
      report.environment.onednn = false;
      report.environment.memoryBytes = 0n;
      report.environment.deviceMemoryBytes = 24_000_000_000n;
    }
    report.recipe?.targets.splice(0);
    report.indicators.length = 0;
    const [first, second, third] = report.predictions;
    for (const prediction of [first, second, third]) delete prediction?.hit;
    if (first?.prediction) delete first.prediction.low;
    if (second?.prediction) delete second.prediction.high;
    const [checkpoint] = report.checkpoints;
    if (checkpoint) Object.assign(checkpoint, { deleteTime: report.moments?.created, deleteReason: "kept by none" });
    report.warnings = report.warnings.filter(({ kind }) => kind !== Warning_Kind.PLATEAU);
    if (report.dataset) report.dataset.validationSourceSha256 = "ab";
    for (const evaluation of report.evaluations) delete evaluation.certificate;
    for (const prediction of report.predictions) prediction.hit = true;
    for (const hypothesis of report.hypotheses) hypothesis.verdict = 3;
  }),
];

test("every phrase is said by a record", () => {
  const all = new Set<string>();
  const said = new Set<string>();
  watch(phrasesOf("en"), all, said);
  for (const report of reports) renderRecord(report);
  const unsaid = [...all].filter((path) => !said.has(path) && !lookedUp.some((group) => path.startsWith(group)));
  assert.deepEqual(unsaid, []);
});
