/** The record as a document, from the Report message alone. */
import { type Origin, type Report, Report_Completeness } from "@pretrain/proto";
import { verdictCounts } from "../record/verdict-counts.ts";
import { absent, loss, metricValue, moment, percent } from "./figures.ts";
import type { Language } from "./language/language.ts";
import type { Cell, RecordDocument } from "./record-document.ts";
import { certificatesSection } from "./sections/certificates.ts";
import { hardwareSection, modelSection, trainingSection } from "./sections/configuration.ts";
import { correctionsSection } from "./sections/corrections.ts";
import { datasetSection } from "./sections/dataset.ts";
import { environmentSection } from "./sections/environment.ts";
import { evaluationsSection } from "./sections/evaluations.ts";
import { executionSection } from "./sections/execution.ts";
import { checkpointsSection, gapsSection, logSection, recipeSection } from "./sections/files.ts";
import { decisionsSection, designSection, goalSection } from "./sections/intent.ts";
import { originSections } from "./sections/origin.ts";
import { hypothesesSection, predictionsSection } from "./sections/outcomes.ts";
import { memorySection, timeSection } from "./sections/resources.ts";
import { curveSection, indicatorsSection, stabilitySection } from "./sections/results.ts";
import { samplesSection } from "./sections/samples.ts";
import { stateCell } from "./wording.ts";

export function documentOfReport(report: Report, language: Language): RecordDocument {
  const { recipe, training } = report;
  return {
    language,
    title: `Experiment ${report.title}`,
    summary: summary(report),
    sections: [
      goalSection(report),
      ...originSections(report),
      designSection(recipe),
      decisionsSection(recipe),
      modelSection(recipe, training?.parameters ?? 0n),
      trainingSection(recipe),
      hardwareSection(recipe),
      executionSection(report),
      indicatorsSection(report),
      curveSection(report),
      stabilitySection(report),
      memorySection(report),
      timeSection(report),
      samplesSection(report),
      evaluationsSection(report),
      certificatesSection(report),
      correctionsSection(report),
      predictionsSection(report),
      hypothesesSection(report),
      datasetSection(report),
      environmentSection(report),
      checkpointsSection(report),
      logSection(report),
      gapsSection(report),
      recipeSection(report),
    ],
  };
}

function beginning({ imported, checkpoint }: Origin): readonly [string, Cell] {
  return imported === undefined ? ["Forked from", { code: checkpoint }] : ["Imported from", { code: imported.source }];
}

function summary(report: Report): RecordDocument["summary"] {
  const isFinal = report.completeness === Report_Completeness.FINAL;
  return [
    ["State", stateCell(report.execution?.state)],
    ...(report.origin === undefined ? [] : [beginning(report.origin)]),
    ["Verdicts", verdictSummary(report)],
    ["Training loss", trainingLoss(report)],
    ["Validation loss", valueOf(report, "eval/loss")],
    ["Perplexity on validation", valueOf(report, "eval/perplexity")],
    ["Trained for", valueOf(report, "train/duration_seconds")],
    ["Created", moment(report.moments?.created)],
    ["Ended", moment(report.moments?.ended)],
    ["Record", isFinal ? "complete" : { text: "… open: more is to come", tone: "open" }],
    ["Name", { code: report.name.replace(/\/report$/, "") }],
  ];
}

/** `8.9431 → 2.4323 (-72.8 %)`. */
function trainingLoss({ training }: Report): string {
  if (training?.firstLoss === undefined) return absent;
  return `${loss(training.firstLoss)} → ${loss(training.lastLoss)} (${percent(negated(training.reduction))})`;
}

function negated(share: number | undefined): number | undefined {
  return share === undefined ? undefined : -share;
}

function valueOf({ indicators }: Report, metric: string): string {
  return metricValue(metric, indicators.find((row) => row.metric === metric)?.final);
}

/** `3 of 4 targets met`, with what is not. */
function verdictSummary({ indicators }: Report): Cell {
  const { targets, met, missed } = verdictCounts(indicators);
  const text = `${met} of ${targets} targets met${missed > 0 ? `, ${missed} missed` : ""}`;
  if (targets === 0) return "no targets";
  if (missed > 0) return { text: `✗ ${text}`, tone: "bad" };
  return met === targets ? { text: `✓ ${text}`, tone: "good" } : { text: `… ${text}`, tone: "open" };
}
