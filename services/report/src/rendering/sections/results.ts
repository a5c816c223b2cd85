/** Key indicators with verdicts, and the comparison with the targets. */
import { type Indicator, type Report, Verdict } from "@pretrain/proto";
import { absent, counted, metricValue } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { basisSentence } from "../sentences/basis-sentence.ts";
import { targetText, verdictCell } from "../wording.ts";

export function indicatorsSection({ indicators }: Report, words: Phrases): Section {
  const { indicators: texts } = words.result;
  return {
    id: "indicators",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      ...orNone([indicatorTable(indicators, words)], indicators.length === 0, words.document.none),
      { kind: "paragraph", text: texts.interval },
      { kind: "heading", text: texts.rules },
      { kind: "facts", rows: verdictRules(words) },
      { kind: "heading", text: texts.meanings },
      { kind: "facts", rows: indicators.map(({ metric }) => [metric, metricMeaning(metric, words)] as const) },
    ],
  };
}

function indicatorTable(indicators: readonly Indicator[], words: Phrases): Block {
  const { indicators: texts } = words.result;
  return {
    kind: "table",
    columns: [
      { title: texts.indicator },
      { title: texts.final, numeric: true },
      { title: texts.best, numeric: true },
      { title: texts.bestAt },
      { title: texts.target },
      { title: texts.verdict },
      { title: texts.basis },
      { title: texts.metric },
    ],
    rows: indicators.map((row) => indicatorRow(row, words)),
  };
}

function indicatorRow(row: Indicator, words: Phrases): Cell[] {
  const { bestMicroStep, bestEpoch } = row;
  const at =
    bestMicroStep === undefined
      ? ""
      : words.result.indicators.at(counted(bestMicroStep), bestEpoch === undefined ? absent : String(bestEpoch));
  return [
    metricName(row.metric, words),
    metricValue(row.metric, row.final) + intervalText(row.interval, row.metric),
    metricValue(row.metric, row.best),
    at,
    targetText(row.target, words),
    verdictCell(row.verdict, words),
    basisSentence(row.basis, words),
    { code: row.metric },
  ];
}

/** One rule for each word, the same in every record. */
function verdictRules(words: Phrases): (readonly [string, Cell])[] {
  const { word, result } = words;
  return [
    [word.met, result.indicators.ruleMet],
    [word.excellent, result.indicators.ruleExcellent],
    [word.missed, result.indicators.ruleMissed],
    [word.undecided, result.indicators.ruleUndecided],
    [word.noTarget, result.indicators.ruleNoTarget],
  ];
}

/** As a person says it; the name of the metric itself where there is no other. */
export function metricName(metric: string, { metric: { names } }: Phrases): string {
  return (names as Readonly<Record<string, string>>)[metric] ?? metric;
}

function metricMeaning(metric: string, words: Phrases): string {
  return words.metric.meanings[metric] ?? "";
}

/** Of the device where there is one that tells, of the process elsewhere. */
function memoryMetric(indicators: readonly Indicator[]): string {
  const device = "memory/peak_reserved_bytes";
  return indicators.some(({ metric, final }) => metric === device && final !== undefined)
    ? device
    : "memory/peak_rss_bytes";
}

export function baselineSection({ indicators }: Report, words: Phrases): Section {
  const { baseline: texts } = words.result;
  const columns = [
    [texts.trainingLoss, "train/loss"],
    [texts.inferenceLoss, "eval/inference_loss"],
    [texts.quality, "eval/quality"],
    [texts.time, "train/duration_seconds"],
    [texts.memory, memoryMetric(indicators)],
  ] as const;
  const found = columns.map(([, metric]) => indicators.find((row) => row.metric === metric));
  return {
    id: "baseline",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      {
        kind: "table",
        columns: [{ title: texts.row }, ...columns.map(([title]) => ({ title }))],
        rows: [
          [texts.thisExperiment, ...found.map((row) => (row ? metricValue(row.metric, row.final) : absent))],
          [texts.targets, ...found.map((row) => targetText(row?.target, words) || absent)],
          [texts.state, ...found.map((row) => verdictCell(row?.verdict ?? Verdict.UNSPECIFIED, words))],
        ],
      },
    ],
  };
}
