/** Experiments side by side as a document, from the comparison and their loss curves alone. */
import {
  type ComparedExperiment,
  type ExperimentComparison,
  type MetricRow,
  Report_Completeness,
  type SampleRow,
} from "@pretrain/proto";
import { change, counted, loss, metricValue } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import { chinese, english } from "../language/comparison-phrases.ts";
import type { Language } from "../language/language.ts";
import { type Phrases, phrasesOf } from "../language/phrases.ts";
import { type Block, type Cell, type Column, orNone, type RecordDocument, type Section } from "../record-document.ts";
import { stateCell, targetText, verdictCell } from "../wording.ts";
import type { ComparedCurve } from "./compared-curve.ts";
import { reasonTexts } from "./reason-text.ts";
import { relationCell } from "./relation-cell.ts";

export type ComparisonPhrases = typeof english;

interface Wording {
  readonly words: Phrases;
  readonly texts: ComparisonPhrases;
}

/** @param curves of the experiments, in their order */
export function documentOfComparison(
  comparison: ExperimentComparison,
  curves: readonly ComparedCurve[],
  language: Language,
): RecordDocument {
  const wording = { words: phrasesOf(language), texts: language === "zh" ? chinese : english };
  const { texts } = wording;
  const titles = comparison.experiments.map(({ title }) => title);
  return {
    language,
    title: texts.title(titles),
    summary: [
      [texts.baseline, titles[0] ?? ""],
      [texts.experiments, counted(titles.length)],
    ],
    sections: [
      experimentsSection(comparison, wording),
      metricsSection(comparison, wording),
      curvesSection(curves, texts),
      recipeSection(comparison, texts),
      verdictsSection(comparison, wording),
      reasonsSection(comparison, texts),
      samplesSection(comparison, wording),
    ],
  };
}

/** A column for each experiment behind the one that names the row. */
function columns(first: string, { experiments }: ExperimentComparison, texts: ComparisonPhrases, numeric = false) {
  const titles = experiments.map(({ title }, index) => (index === 0 ? texts.baselineMark(title) : title));
  return [{ title: first }, ...titles.map((title): Column => (numeric ? { title, numeric } : { title }))];
}

function experimentsSection(comparison: ExperimentComparison, { words, texts }: Wording): Section {
  const row = ({ name, title, execution, targets, targetsMet, completeness }: ComparedExperiment): Cell[] => [
    title,
    { code: name },
    stateCell(execution?.state, words),
    texts.targetsMet(counted(targetsMet), counted(targets)),
    completeness === Report_Completeness.FINAL ? texts.final : { text: texts.open, tone: "open" },
  ];
  const titles = [texts.experiment, "", texts.state, texts.targets, texts.record].map((title) => ({ title }));
  return {
    id: "experiments",
    title: texts.experiments,
    origin: "measured",
    source: texts.experimentsSource,
    blocks: [{ kind: "table", columns: titles, rows: comparison.experiments.map(row) }],
  };
}

function metricsSection(comparison: ExperimentComparison, { texts }: Wording): Section {
  const rows = comparison.metricRows.flatMap((row) => metricRows(row, texts));
  return {
    id: "metrics",
    title: texts.metrics,
    origin: "generated",
    source: texts.metricsSource,
    blocks: [{ kind: "table", columns: columns(texts.metric, comparison, texts), rows }],
  };
}

/** The values, and below them what may be said of each beside the baseline's. */
function metricRows({ metric, values }: MetricRow, texts: ComparisonPhrases): Cell[][] {
  const numbers = values.map(({ indicator }) => metricValue(metric, indicator?.final));
  const said = values.map((value) => relationCell(value, texts));
  const differences = values.map(({ difference, differencePercent, interval }) => {
    if (difference === undefined) return "";
    const sign = difference > 0 ? "+" : "";
    return `${sign}${metricValue(metric, difference)}${intervalText(interval, metric)} (${change(differencePercent)})`;
  });
  return [
    [{ code: metric }, ...numbers],
    ...(differences.some((text) => text !== "") ? [["", ...differences]] : []),
    ...(said.some((cell) => cell !== "") ? [["", ...said]] : []),
  ];
}

function curvesSection(curves: readonly ComparedCurve[], texts: ComparisonPhrases): Section {
  return {
    id: "curves",
    title: texts.curves,
    origin: "measured",
    source: texts.curvesSource,
    blocks: [{ kind: "overlay", curves }],
  };
}

function recipeSection(comparison: ExperimentComparison, texts: ComparisonPhrases): Section {
  const rows = comparison.recipeRows.map(({ field, values }): Cell[] => [
    { code: field },
    ...values.map((value): Cell => (value === "" ? { text: texts.unset, tone: "quiet" } : { code: value })),
  ]);
  return {
    id: "recipe",
    title: texts.recipe,
    origin: "given",
    source: texts.recipeSource,
    blocks: orNone(
      [{ kind: "table", columns: columns(texts.field, comparison, texts), rows }],
      rows.length === 0,
      texts.alike,
    ),
  };
}

function verdictsSection(comparison: ExperimentComparison, { words, texts }: Wording): Section {
  const judged = comparison.metricRows.filter(({ values }) => values.some(({ indicator }) => indicator?.target));
  const rows = judged.flatMap(({ metric, values }): Cell[][] => [
    [{ code: metric }, ...values.map(({ indicator }) => metricValue(metric, indicator?.final))],
    [texts.targets, ...values.map(({ indicator }) => targetText(indicator?.target, words))],
    [texts.verdict, ...values.map(({ indicator }) => (indicator ? verdictCell(indicator.verdict, words) : ""))],
  ]);
  return {
    id: "verdicts",
    title: texts.verdicts,
    origin: "generated",
    source: texts.verdictsSource,
    blocks: orNone(
      [{ kind: "table", columns: columns(texts.metric, comparison, texts), rows }],
      rows.length === 0,
      texts.noTargets,
    ),
  };
}

function reasonsSection({ experiments, metricRows: rows }: ExperimentComparison, texts: ComparisonPhrases): Section {
  const blocks = experiments.flatMap(({ title }, index): Block[] => {
    const items = reasonTexts(
      rows.flatMap(({ values }) => values[index]?.reasons ?? []),
      texts,
    );
    if (items.length === 0) return [];
    return [
      { kind: "heading", text: title },
      { kind: "list", items },
    ];
  });
  return {
    id: "reasons",
    title: texts.reasons,
    origin: "generated",
    source: texts.reasonsSource,
    blocks: orNone(blocks, blocks.length === 0, texts.everything),
  };
}

function samplesSection(comparison: ExperimentComparison, { words, texts }: Wording): Section {
  const blocks = comparison.sampleRows.flatMap((row) => sampleBlocks(row, comparison, { words, texts }));
  return {
    id: "samples",
    title: texts.continuations,
    origin: "measured",
    source: texts.continuationsSource,
    blocks: orNone(blocks, blocks.length === 0, texts.noContinuations),
  };
}

function sampleBlocks(row: SampleRow, { experiments }: ExperimentComparison, { texts }: Wording): Block[] {
  const continuations = row.samples.map((sample, index): Block => {
    const title = experiments[index]?.title ?? "";
    const mean = sample.loss?.natsPerToken;
    const label = mean === undefined ? title : `${title} (Loss ${loss(mean)})`;
    return { kind: "words", label, text: sample.predictedText || texts.notGenerated };
  });
  return [
    { kind: "heading", text: texts.row(counted(row.rowId)) },
    { kind: "words", label: texts.prompt, text: row.inputText },
    { kind: "words", label: texts.truth, text: row.trueText },
    ...continuations,
  ];
}
