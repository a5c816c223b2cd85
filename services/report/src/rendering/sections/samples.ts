/** The samples of the last checkpoint in full, and what generation did over all of them. */
import { meanNatsPerToken } from "@pretrain/measures";
import type { Evaluation, GenerationStatistics, Report, Sample } from "@pretrain/proto";
import { distinct, evaluationNumbers, repetition, totalOf } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { consistencySentences } from "../analysis/consistency.ts";
import { absent, counted, fixed, loss, metricValue, percent } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type SampleText, type Section } from "../record-document.ts";

export function samplesSection(report: Report, words: Phrases): Section {
  const { samples: texts } = words.evaluation;
  const shown = report.evaluations.findLast((evaluation) => stands(evaluation) && evaluation.samples.length > 0);
  const samples = shown?.samples ?? [];
  return {
    id: "samples",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: [
      ...consistencyBlocks(report, words),
      ...orNone(
        [
          ...generationBlocks(shown, texts),
          ...samples.map((sample, index): Block => ({ kind: "sample", sample: sampleText(sample, index, texts) })),
        ],
        samples.length === 0,
        texts.empty,
      ),
    ],
  };
}

function consistencyBlocks(report: Report, words: Phrases): Block[] {
  const last = report.evaluations.findLast(stands);
  const sentences = last === undefined ? [] : consistencySentences(report, last, words);
  if (sentences.length === 0) return [];
  return [
    { kind: "heading", text: words.evaluation.samples.analysis },
    { kind: "list", items: sentences },
  ];
}

function sampleText(
  { rowId, inputText, predictedText, trueText, loss: total, generatedTokens, stopReason }: Sample,
  index: number,
  texts: Phrases["evaluation"]["samples"],
): SampleText {
  const written = loss(meanNatsPerToken(totalOf(total)));
  return {
    title: texts.sampleTitle(String(index + 1), counted(rowId), written),
    input: inputText,
    predicted: predictedText,
    truth: trueText,
    note: texts.ended(counted(generatedTokens), texts.stopReasons[stopReason] ?? stopReason),
  };
}

function generationBlocks(
  evaluation: Evaluation | undefined,
  texts: Phrases["evaluation"]["samples"],
): readonly Block[] {
  if (evaluation === undefined) return [];
  const { generation, inferenceInterval, microStep, skippedRows } = evaluation;
  const numbers = evaluationNumbers(evaluation);
  const generated = counted(generation?.generatedTokens ?? 0n);
  const requested = counted(generation?.requestedTokens ?? 0n);
  const mean = generation?.samples ? fixed(Number(generation.generatedTokens) / Number(generation.samples), 1) : absent;
  const rows: (readonly [string, Cell])[] = [
    [texts.checkpoint, texts.microStep(counted(microStep))],
    [texts.meanLoss, `${loss(numbers.inferenceLoss)}${intervalText(inferenceInterval)}`],
    [texts.completed, texts.completedOf(percent(numbers.completionRate), generated, requested)],
    [texts.eos, percent(numbers.eosRate)],
    [texts.meanTokens, mean],
    [texts.bleu, metricValue("eval/bleu", numbers.bleu)],
    [texts.chrf, metricValue("eval/chrf", numbers.chrf)],
    [texts.skipped, counted(skippedRows)],
  ];
  return [{ kind: "facts", rows }, ...(generation?.runs.length ? [runTable(generation.runs, texts)] : [])];
}

function runTable(runs: GenerationStatistics["runs"], texts: Phrases["evaluation"]["samples"]): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.runTokens, numeric: true },
      { title: texts.runs, numeric: true },
      { title: texts.different, numeric: true },
      { title: texts.distinct, numeric: true },
      { title: texts.before, numeric: true },
      { title: texts.repetition, numeric: true },
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
