/** Predictions and hypotheses against what came out. */
import type { HypothesisOutcome, Prediction, PredictionOutcome, Report } from "@pretrain/proto";
import { metricValue } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { hypothesisCell, targetText, verdictCell } from "../wording.ts";

export function predictionsSection({ predictions }: Report): Section {
  return {
    id: "predictions",
    title: "Predictions",
    origin: "generated",
    source: "what the author expected, from the recipe, against what came out; judged apart from the targets",
    blocks: orNone([predictionTable(predictions)], predictions.length === 0),
  };
}

function predictionTable(predictions: readonly PredictionOutcome[]): Block {
  return {
    kind: "table",
    columns: [{ title: "Metric" }, { title: "Predicted" }, { title: "Outcome", numeric: true }, { title: "Judgement" }],
    rows: predictions.map(({ prediction, outcome, hit }) => [
      { code: prediction?.metric ?? "" },
      rangeText(prediction),
      metricValue(prediction?.metric ?? "", outcome),
      hitCell(hit),
    ]),
  };
}

function rangeText(prediction: Prediction | undefined): string {
  if (prediction === undefined) return "–";
  const { metric, low, high } = prediction;
  if (low === undefined) return `at most ${metricValue(metric, high)}`;
  return high === undefined
    ? `at least ${metricValue(metric, low)}`
    : `${metricValue(metric, low)} to ${metricValue(metric, high)}`;
}

function hitCell(hit: boolean | undefined): Cell {
  if (hit === undefined) return { text: "… undecided", tone: "open" };
  return hit ? { text: "✓ hit", tone: "good" } : { text: "✗ missed", tone: "bad" };
}

export function hypothesesSection({ hypotheses }: Report): Section {
  return {
    id: "hypotheses",
    title: "Hypotheses",
    origin: "generated",
    source: "stated in the recipe with the rules that decide them; decided by those rules alone",
    blocks: orNone([hypothesisTable(hypotheses)], hypotheses.length === 0),
  };
}

function hypothesisTable(hypotheses: readonly HypothesisOutcome[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Hypothesis" },
      { title: "Rule" },
      { title: "Value", numeric: true },
      { title: "Rule's verdict" },
      { title: "Outcome" },
    ],
    rows: hypotheses.flatMap(({ hypothesis, verdict, evidence }) =>
      evidence.map((rule, index) => [
        index === 0 ? (hypothesis?.statement ?? "") : "",
        `${rule.metric} ${targetText(rule.target)}`,
        metricValue(rule.metric, rule.final),
        verdictCell(rule.verdict),
        index === 0 ? hypothesisCell(verdict) : "",
      ]),
    ),
  };
}
