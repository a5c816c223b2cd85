/** What the checkpoints were worth: the samples of the last one in full, and the numbers of all. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { meanNatsPerToken } from "@pretrain/measures";
import { type Evaluation, Evaluation_State, type Interval, type Report, type Sample } from "@pretrain/proto";
import { evaluationNumbers, totalOf } from "../../record/evaluation-numbers.ts";
import { counted, duration, fixed, loss, percent } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function samplesSection({ evaluations }: Report): Section {
  const shown = evaluations.findLast(({ samples }) => samples.length > 0);
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
  const { generation, skippedRows, micro, numbers } = {
    ...evaluation,
    micro: counted(evaluation.microStep),
    numbers: evaluationNumbers(evaluation),
  };
  const generated = counted(generation?.generatedTokens ?? 0n);
  const mean = generation?.samples ? fixed(Number(generation.generatedTokens) / Number(generation.samples), 1) : "–";
  const rows: (readonly [string, Cell])[] = [
    ["Checkpoint", `micro-step ${micro}`],
    ["Mean loss of the samples (nats over tokens)", loss(numbers.inferenceLoss)],
    [
      "Completed",
      `${percent(numbers.completionRate)} (${generated} of ${counted(generation?.requestedTokens ?? 0n)} tokens)`,
    ],
    ["Ended with eos", percent(numbers.eosRate)],
    ["Mean new tokens", mean],
    ["Rows passed over as too short", counted(skippedRows)],
  ];
  return [{ kind: "facts", rows }];
}

export function evaluationsSection({ evaluations }: Report): Section {
  const last = evaluations.findLast(({ state }) => state === Evaluation_State.SUCCEEDED);
  return {
    id: "evaluations",
    title: "Evaluations",
    origin: "measured",
    source:
      "position i's logits score token i + 1; losses are nats over tokens, in parentheses the bootstrap interval that holds 95 of 100",
    blocks: orNone([evaluationTable(evaluations), ...(last ? [basisFacts(last)] : [])], evaluations.length === 0),
  };
}

function evaluationTable(evaluations: readonly Evaluation[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Micro-step", numeric: true },
      { title: "Validation loss", numeric: true },
      { title: "Perplexity", numeric: true },
      { title: "Bits per byte", numeric: true },
      { title: "Inference loss", numeric: true },
      { title: "Took", numeric: true },
      { title: "State" },
    ],
    rows: evaluations.map(evaluationRow),
  };
}

function evaluationRow(evaluation: Evaluation): Cell[] {
  const numbers = evaluationNumbers(evaluation);
  const failed: Cell = { text: `✗ failed: ${evaluation.error}`, tone: "bad" };
  return [
    counted(evaluation.microStep),
    `${loss(numbers.loss)}${intervalText(evaluation.validationInterval)}`,
    fixed(numbers.perplexity, 2),
    loss(numbers.bitsPerByte),
    loss(numbers.inferenceLoss),
    duration(secondsOf(evaluation)),
    evaluation.state === Evaluation_State.SUCCEEDED ? { text: "✓ succeeded", tone: "good" } : failed,
  ];
}

function intervalText(interval: Interval | undefined): string {
  return interval === undefined ? "" : ` (${loss(interval.low)} to ${loss(interval.high)})`;
}

function secondsOf({ startTime, endTime }: Evaluation): number | undefined {
  return startTime && endTime ? (timestampMs(endTime) - timestampMs(startTime)) / 1000 : undefined;
}

/** What the numbers were computed over; the same for all evaluations of a run but for the checkpoint. */
function basisFacts(evaluation: Evaluation): Block {
  const { settings, validationInterval } = evaluation;
  const prompts = settings ? `${settings.samples} of ${settings.inputLength} + ${settings.predictLength} tokens` : "–";
  const resampling = validationInterval
    ? `${counted(validationInterval.resamples)} resamples of rows, seed ${validationInterval.seed}`
    : "–";
  return {
    kind: "facts",
    rows: [
      ["Samples", prompts],
      [
        "Validation split",
        `${counted(evaluation.validationRows)} rows, ${counted(evaluation.validationLoss?.tokens ?? 0n)} targets, ${counted(evaluation.validationBytes)} bytes`,
      ],
      ["Longest context", `${counted(evaluation.context)} tokens`],
      ["Markers", { code: evaluation.markerRule }],
      ["Precision", { code: evaluation.precision }],
      ["Bootstrap", resampling],
      ["SHA-256 of the dataset's manifest", { code: evaluation.datasetSha256 }],
      ["SHA-256 of the tokenizer", { code: evaluation.tokenizerSha256 }],
    ],
  };
}
