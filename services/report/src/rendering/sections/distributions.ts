/** Of one evaluation: how its targets' losses and predictions are spread, and how much of its text training has seen. */
import { meanNatsPerToken, perplexity } from "@pretrain/measures";
import type { Evaluation, LossBucket, Overlap } from "@pretrain/proto";
import { evaluationNumbers, ratio, totalOf } from "../../record/evaluation-numbers.ts";
import { counted, fixed, loss, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import type { Block, Cell } from "../record-document.ts";

type Texts = Phrases["evaluation"]["distributions"];

/** Only what was measured. */
export function distributionBlocks(evaluation: Evaluation, words: Phrases): Block[] {
  const { distributions: texts } = words.evaluation;
  const { calibration, lossByPosition, lossByFrequency, overlap } = evaluation;
  return [
    ...(calibration?.bins.length ? calibrationBlocks(evaluation, calibration.bins, texts) : []),
    ...bucketBlocks(texts.byPosition, texts.position, lossByPosition, texts),
    ...bucketBlocks(texts.byFrequency, texts.times, lossByFrequency, texts),
    ...(overlap === undefined ? [] : overlapBlocks(overlap, texts)),
  ];
}

function calibrationBlocks(
  evaluation: Evaluation,
  bins: NonNullable<Evaluation["calibration"]>["bins"],
  texts: Texts,
): readonly Block[] {
  const { top1Accuracy, calibrationError } = evaluationNumbers(evaluation);
  return [
    { kind: "heading", text: texts.calibration },
    {
      kind: "facts",
      rows: [
        [texts.top1, percent(top1Accuracy)],
        [texts.calibrationError, percent(calibrationError)],
      ],
    },
    { kind: "calibration", bins },
  ];
}

function bucketBlocks(heading: string, title: string, buckets: readonly LossBucket[], texts: Texts): readonly Block[] {
  if (buckets.length === 0) return [];
  return [
    { kind: "heading", text: heading },
    {
      kind: "table",
      columns: [
        { title },
        { title: texts.targets, numeric: true },
        { title: texts.loss, numeric: true },
        { title: texts.perplexity, numeric: true },
      ],
      rows: buckets.map(bucketRow),
    },
  ];
}

function bucketRow({ from, to, loss: sum }: LossBucket): Cell[] {
  const total = totalOf(sum);
  const range = from === to ? counted(from) : `${counted(from)}–${counted(to)}`;
  return [range, counted(total.tokens), loss(meanNatsPerToken(total)), fixed(perplexity(total), 2)];
}

function overlapBlocks(overlap: Overlap, texts: Texts): readonly Block[] {
  const { validationRows, identicalRows, rowsWithOverlap, runTokens, validationRuns, overlappingRuns } = overlap;
  const of = (part: bigint, whole: bigint) => texts.partOf(counted(part), counted(whole), percent(ratio(part, whole)));
  return [
    { kind: "heading", text: texts.overlap },
    {
      kind: "facts",
      rows: [
        [texts.identicalRows, of(identicalRows, validationRows)],
        [texts.runs(String(runTokens)), of(overlappingRuns, validationRuns)],
        [texts.rowsWithRun, of(rowsWithOverlap, validationRows)],
      ],
    },
  ];
}
