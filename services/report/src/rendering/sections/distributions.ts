/** Of one evaluation: how its targets' losses and predictions are spread, and how much of its text training has seen. */
import { meanNatsPerToken, perplexity } from "@pretrain/measures";
import type { Evaluation, LossBucket, Overlap } from "@pretrain/proto";
import { evaluationNumbers, ratio, totalOf } from "../../record/evaluation-numbers.ts";
import { counted, fixed, loss, percent } from "../figures.ts";
import type { Block, Cell } from "../record-document.ts";

/** Only what was measured. */
export function distributionBlocks(evaluation: Evaluation): Block[] {
  const { calibration, lossByPosition, lossByFrequency, overlap } = evaluation;
  return [
    ...(calibration?.bins.length ? calibrationBlocks(evaluation, calibration.bins) : []),
    ...bucketBlocks("Loss by the target's position in its row", "Position", lossByPosition),
    ...bucketBlocks("Loss by how often the target stands in the training split", "Times", lossByFrequency),
    ...(overlap === undefined ? [] : overlapBlocks(overlap)),
  ];
}

function calibrationBlocks(
  evaluation: Evaluation,
  bins: NonNullable<Evaluation["calibration"]>["bins"],
): readonly Block[] {
  const { top1Accuracy, calibrationError } = evaluationNumbers(evaluation);
  return [
    { kind: "heading", text: "Calibration" },
    {
      kind: "facts",
      rows: [
        ["Likeliest token came true", percent(top1Accuracy)],
        ["Expected calibration error", percent(calibrationError)],
      ],
    },
    { kind: "calibration", bins },
  ];
}

function bucketBlocks(heading: string, title: string, buckets: readonly LossBucket[]): readonly Block[] {
  if (buckets.length === 0) return [];
  return [
    { kind: "heading", text: heading },
    {
      kind: "table",
      columns: [
        { title },
        { title: "Targets", numeric: true },
        { title: "Loss", numeric: true },
        { title: "Perplexity", numeric: true },
      ],
      rows: buckets.map(bucketRow),
    },
  ];
}

function bucketRow({ from, to, loss: sum }: LossBucket): Cell[] {
  const total = totalOf(sum);
  const range = from === to ? counted(from) : `${counted(from)} to ${counted(to)}`;
  return [range, counted(total.tokens), loss(meanNatsPerToken(total)), fixed(perplexity(total), 2)];
}

function overlapBlocks(overlap: Overlap): readonly Block[] {
  const { validationRows, identicalRows, rowsWithOverlap, runTokens, validationRuns, overlappingRuns } = overlap;
  const of = (part: bigint, whole: bigint) => `${counted(part)} of ${counted(whole)} (${percent(ratio(part, whole))})`;
  return [
    { kind: "heading", text: "Overlap with the training split" },
    {
      kind: "facts",
      rows: [
        ["Rows that are training rows", of(identicalRows, validationRows)],
        [`Runs of ${runTokens} tokens that training has seen`, of(overlappingRuns, validationRuns)],
        ["Rows with such a run", of(rowsWithOverlap, validationRows)],
      ],
    },
  ];
}
