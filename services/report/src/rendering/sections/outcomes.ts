/** Predictions and hypotheses against what came out; hypotheses that were made later stand apart. */
import type { HypothesisOutcome, Prediction, PredictionOutcome, Report } from "@pretrain/proto";
import { annotationsOf, evidenceText, writtenBy } from "../annotations.ts";
import { absent, counted, metricValue, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { hypothesisCell, targetText, verdictCell } from "../wording.ts";
import { metricName } from "./results.ts";

export function predictionsSection({ predictions }: Report, words: Phrases): Section {
  const { predictions: texts } = words.judgement;
  const judged = predictions.filter(({ hit }) => hit !== undefined);
  const hits = judged.filter(({ hit }) => hit).length;
  const summary: Block[] =
    judged.length === 0 ? [] : [{ kind: "paragraph", text: texts.hits(counted(hits), counted(judged.length)) }];
  return {
    id: "predictions",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone([predictionTable(predictions, words), ...summary], predictions.length === 0, words.document.none),
  };
}

function predictionTable(predictions: readonly PredictionOutcome[], words: Phrases): Block {
  const { predictions: texts } = words.judgement;
  return {
    kind: "table",
    columns: [
      { title: texts.metric },
      { title: texts.predicted },
      { title: texts.outcome, numeric: true },
      { title: texts.judgement },
    ],
    rows: predictions.map(({ prediction, outcome, hit }) => [
      metricName(prediction?.metric ?? "", words),
      rangeText(prediction, texts),
      metricValue(prediction?.metric ?? "", outcome),
      hitCell(hit, words),
    ]),
  };
}

function rangeText(prediction: Prediction | undefined, texts: Phrases["judgement"]["predictions"]): string {
  if (prediction === undefined) return absent;
  const { metric, low, high } = prediction;
  if (low === undefined) return texts.atMost(metricValue(metric, high));
  return high === undefined
    ? texts.atLeast(metricValue(metric, low))
    : texts.between(metricValue(metric, low), metricValue(metric, high));
}

function hitCell(hit: boolean | undefined, { word }: Phrases): Cell {
  if (hit === undefined) return { text: word.undecided, tone: "open" };
  return hit ? { text: word.hit, tone: "good" } : { text: word.notHit, tone: "bad" };
}

export function hypothesesSection(report: Report, words: Phrases): Section {
  const { hypotheses } = report;
  const { hypotheses: texts } = words.judgement;
  const later = annotationsOf(report, "hypothesis");
  const { none } = words.document;
  return {
    id: "hypotheses",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      { kind: "heading", text: texts.sealed },
      ...orNone([hypothesisTable(hypotheses, words)], hypotheses.length === 0, none),
      { kind: "heading", text: texts.later },
      ...orNone([laterTable(report, words)], later.length === 0, none),
    ],
  };
}

function hypothesisTable(hypotheses: readonly HypothesisOutcome[], words: Phrases): Block {
  const { hypotheses: texts } = words.judgement;
  return {
    kind: "table",
    columns: [
      { title: texts.hypothesis },
      { title: texts.rule },
      { title: texts.value, numeric: true },
      { title: texts.ruleVerdict },
      { title: texts.outcome },
    ],
    rows: hypotheses.flatMap(({ hypothesis, verdict, evidence }) =>
      evidence.map((rule, index): Cell[] => [
        index === 0 ? { words: hypothesis?.statement ?? "" } : "",
        `${rule.metric} ${targetText(rule.target, words)}`,
        metricValue(rule.metric, rule.final),
        verdictCell(rule.verdict, words),
        index === 0 ? hypothesisCell(verdict, words) : "",
      ]),
    ),
  };
}

function laterTable(report: Report, words: Phrases): Block {
  const { hypotheses: texts } = words.judgement;
  return {
    kind: "table",
    columns: [
      { title: texts.hypothesis },
      { title: texts.result },
      { title: texts.evidence },
      { title: texts.confidence, numeric: true },
      { title: texts.author },
    ],
    rows: annotationsOf(report, "hypothesis").map(({ annotation, content, supersededBy, notes }): Cell[] => [
      { words: content.statement, struck: supersededBy !== "" },
      { words: content.result },
      { words: joined([{ words: content.evidence }, ...evidenceText(report, content.metrics, words)]) },
      percent(content.confidence),
      { words: joined([writtenBy(annotation, words), ...notes(words)]) },
    ]),
  };
}

/** Several cells as the lines of one. */
function joined(cells: readonly Cell[]): string {
  return cells
    .map((cell) =>
      typeof cell === "string" ? cell : "words" in cell ? cell.words : "code" in cell ? cell.code : cell.text,
    )
    .filter((line) => line !== "")
    .join("\n");
}
