/** The samples of the last checkpoint in full, and what generation did over all of them. */
import { meanNatsPerToken } from "@pretrain/measures";
import type { Evaluation, GenerationStatistics, Report, Sample } from "@pretrain/proto";
import { distinct, evaluationNumbers, repetition, totalOf } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { counted, fixed, loss, metricValue, percent } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function samplesSection({ evaluations }: Pick<Report, "evaluations">): Section {
  const shown = evaluations.findLast((evaluation) => stands(evaluation) && evaluation.samples.length > 0);
  const samples = shown?.samples ?? [];
  return {
    id: "samples",
    title: "Samples",
    origin: "measured",
    source: "rows of the validation split; the prediction is generated greedily, the loss is of the true tokens",
    blocks: orNone(
      [
        ...generationBlocks(shown),
        ...samples.map((sample, index): Block => ({ kind: "sample", sample: sampleText(sample, index) })),
      ],
      samples.length === 0,
      "No evaluation has samples yet.",
    ),
  };
}

function sampleText(
  { rowId, inputText, predictedText, trueText, loss: total, generatedTokens, stopReason }: Sample,
  index: number,
) {
  return {
    title: `Sample ${index + 1} · row ${counted(rowId)} · ${loss(meanNatsPerToken(totalOf(total)))} nats per token`,
    input: inputText,
    predicted: predictedText,
    truth: trueText,
    note: `${counted(generatedTokens)} tokens generated, ended by ${stopReason}`,
  };
}

function generationBlocks(evaluation: Evaluation | undefined): Block[] {
  if (evaluation === undefined) return [];
  const { generation, inferenceInterval, microStep, skippedRows } = evaluation;
  const numbers = evaluationNumbers(evaluation);
  const generated = counted(generation?.generatedTokens ?? 0n);
  const mean = generation?.samples ? fixed(Number(generation.generatedTokens) / Number(generation.samples), 1) : "–";
  const rows: (readonly [string, Cell])[] = [
    ["Checkpoint", `micro-step ${counted(microStep)}`],
    ["Mean loss of the samples (nats over tokens)", `${loss(numbers.inferenceLoss)}${intervalText(inferenceInterval)}`],
    [
      "Completed",
      `${percent(numbers.completionRate)} (${generated} of ${counted(generation?.requestedTokens ?? 0n)} tokens)`,
    ],
    ["Ended with eos", percent(numbers.eosRate)],
    ["Mean new tokens", mean],
    ["BLEU-4 against the true text, of 100", metricValue("eval/bleu", numbers.bleu)],
    ["chrF2 against the true text, of 100", metricValue("eval/chrf", numbers.chrf)],
    ["Rows passed over as too short", counted(skippedRows)],
  ];
  return [{ kind: "facts", rows }, ...(generation?.runs.length ? [runTable(generation.runs)] : [])];
}

function runTable(runs: GenerationStatistics["runs"]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Tokens of a run", numeric: true },
      { title: "Runs", numeric: true },
      { title: "Different ones", numeric: true },
      { title: "Distinct", numeric: true },
      { title: "In their sample before", numeric: true },
      { title: "Repetition", numeric: true },
    ],
    rows: runs.map((count) => [
      counted(count.runTokens),
      counted(count.runs),
      counted(count.distinct),
      percent(distinct(count)),
      counted(count.repeated),
      percent(repetition(count)),
    ]),
  };
}
