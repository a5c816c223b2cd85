/** The record as a document, from the Report message alone. */
import { type Origin, type Report, Report_Completeness } from "@pretrain/proto";
import { verdictCounts } from "../record/verdict-counts.ts";
import { absent, counted, loss, metricValue, moment, percent } from "./figures.ts";
import type { Language } from "./language/language.ts";
import { type Phrases, phrasesOf } from "./language/phrases.ts";
import type { Cell, RecordDocument, Section } from "./record-document.ts";
import { certificatesSection } from "./sections/certificates.ts";
import { changesSection } from "./sections/changes.ts";
import { completionSection, liveSection } from "./sections/completion.ts";
import { hardwareSection, modelSection, trainingSection } from "./sections/configuration.ts";
import { correctionsSection } from "./sections/corrections.ts";
import { curveSection, stabilitySection } from "./sections/curve.ts";
import { datasetSection } from "./sections/dataset.ts";
import { decisionsSection, tradeOffsSection } from "./sections/decisions.ts";
import { designSection } from "./sections/design.ts";
import { environmentSection } from "./sections/environment.ts";
import { evaluationsSection } from "./sections/evaluations.ts";
import { executionSection } from "./sections/execution.ts";
import { checkpointsSection, recipeSection } from "./sections/files.ts";
import { basicsSection, goalSection } from "./sections/goal.ts";
import {
  actionsSection,
  conclusionSection,
  currentStateSection,
  diagnosesSection,
  findingSections,
  improvementsSection,
  lessonsSection,
  nextExperimentSection,
  notesSection,
} from "./sections/judgements.ts";
import { logSection, monitoringSection, warningsSection } from "./sections/monitoring.ts";
import { originSections } from "./sections/origin.ts";
import { hypothesesSection, predictionsSection } from "./sections/outcomes.ts";
import { chainSection, continuitySection, gapsSection, unsupportedSection } from "./sections/proof.ts";
import { memorySection, timeSection } from "./sections/resources.ts";
import { baselineSection, indicatorsSection } from "./sections/results.ts";
import { samplesSection } from "./sections/samples.ts";
import { assessmentSection, qualitySection } from "./sections/scores.ts";
import { stateCell } from "./wording.ts";

export function documentOfReport(report: Report, language: Language): RecordDocument {
  const words = phrasesOf(language);
  return {
    language,
    title: words.document.title(report.title),
    summary: summary(report, words),
    sections: [...before(report, words), ...run(report, words), ...results(report, words), ...after(report, words)],
  };
}

function chapter(title: string, sections: readonly Section[]): Section[] {
  return sections.map((section) => ({ ...section, chapter: title }));
}

/** What a person wrote before the run, and what was configured. */
function before(report: Report, words: Phrases): Section[] {
  const { recipe, training } = report;
  const { chapters } = words.document;
  return [
    ...chapter(chapters.thinking, [
      designSection(recipe, words),
      decisionsSection(recipe, words),
      tradeOffsSection(recipe, words),
    ]),
    ...chapter(chapters.changes, [changesSection(report, words)]),
    ...chapter(chapters.basics, [
      goalSection(report, words),
      ...originSections(report, words),
      basicsSection(report, words),
    ]),
    ...chapter(chapters.configuration, [
      modelSection(recipe, training?.parameters ?? 0n, words),
      trainingSection(recipe, words),
      hardwareSection(recipe, words),
    ]),
  ];
}

function run(report: Report, words: Phrases): Section[] {
  return chapter(words.document.chapters.execution, [
    executionSection(report, words),
    monitoringSection(report, words),
    logSection(report, words),
    warningsSection(report, words),
    continuitySection(report, words),
  ]);
}

function results(report: Report, words: Phrases): Section[] {
  return chapter(words.document.chapters.results, [
    indicatorsSection(report, words),
    curveSection(report, words),
    stabilitySection(report, words),
    memorySection(report, words),
    timeSection(report, words),
    samplesSection(report, words),
    qualitySection(report, words),
    baselineSection(report, words),
    evaluationsSection(report, words),
    correctionsSection(report, words),
    certificatesSection(report, words),
  ]);
}

/** What was made of it, what is left of it, and why it can be believed. */
function after(report: Report, words: Phrases): Section[] {
  const { chapters } = words.document;
  return [
    ...chapter(chapters.analysis, [
      ...findingSections(report, words),
      diagnosesSection(report, words),
      currentStateSection(report, words),
      improvementsSection(report, words),
    ]),
    ...chapter(chapters.conclusion, [
      hypothesesSection(report, words),
      predictionsSection(report, words),
      assessmentSection(report, words),
      conclusionSection(report, words),
      lessonsSection(report, words),
      actionsSection(report, words),
      nextExperimentSection(report, words),
      notesSection(report, words),
    ]),
    ...chapter(chapters.files, [
      checkpointsSection(report, words),
      datasetSection(report, words),
      environmentSection(report, words),
    ]),
    ...chapter(chapters.completion, [completionSection(report, words), liveSection(report, words)]),
    ...chapter(chapters.proof, [
      chainSection(report, words),
      gapsSection(report, words),
      unsupportedSection(report, words),
      recipeSection(report, words),
    ]),
  ];
}

function beginning({ imported, checkpoint }: Origin, { document }: Phrases): readonly [string, Cell] {
  return imported === undefined
    ? [document.summary.forkedFrom, { code: checkpoint }]
    : [document.summary.importedFrom, { code: imported.source }];
}

function summary(report: Report, words: Phrases): RecordDocument["summary"] {
  const { summary: texts } = words.document;
  const isFinal = report.completeness === Report_Completeness.FINAL;
  return [
    [texts.state, stateCell(report.execution?.state, words)],
    ...(report.origin === undefined ? [] : [beginning(report.origin, words)]),
    [texts.verdicts, verdictSummary(report, words)],
    [texts.trainingLoss, trainingLoss(report)],
    [texts.validationLoss, valueOf(report, "eval/loss")],
    [texts.validationPerplexity, valueOf(report, "eval/perplexity")],
    [texts.trainedFor, valueOf(report, "train/duration_seconds")],
    [texts.created, moment(report.moments?.created)],
    [texts.ended, moment(report.moments?.ended)],
    [texts.record, isFinal ? texts.complete : { text: texts.open, tone: "open" }],
    [texts.name, { code: report.name.replace(/\/report$/, "") }],
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
function verdictSummary({ indicators }: Report, { document: { summary: texts } }: Phrases): Cell {
  const { targets, met, missed } = verdictCounts(indicators);
  if (targets === 0) return texts.noTargets;
  const text =
    texts.targetsMet(counted(met), counted(targets)) + (missed > 0 ? texts.targetsMissed(counted(missed)) : "");
  if (missed > 0) return { text: `✗ ${text}`, tone: "bad" };
  return met === targets ? { text: `✓ ${text}`, tone: "good" } : { text: `… ${text}`, tone: "open" };
}
