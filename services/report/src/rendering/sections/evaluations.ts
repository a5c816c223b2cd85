/** What the checkpoints were worth: the numbers of all evaluations, and of the last one how they come about. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Evaluation, Evaluation_State, type Report } from "@pretrain/proto";
import { evaluationNumbers } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { refutation } from "../certificate-words.ts";
import { absent, counted, duration, fixed, loss, metricValue, percent } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { distributionBlocks } from "./distributions.ts";

export function evaluationsSection({ evaluations }: Pick<Report, "evaluations">): Section {
  const last = evaluations.findLast(stands);
  return {
    id: "evaluations",
    title: "Evaluations",
    origin: "measured",
    source:
      "position i's logits score token i + 1; losses are nats over tokens, in parentheses the bootstrap interval that holds 95 of 100",
    blocks: orNone(
      [
        evaluationTable(evaluations),
        furtherTable(evaluations),
        ...(last ? [basisFacts(last), ...distributionBlocks(last)] : []),
      ],
      evaluations.length === 0,
    ),
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
  return [
    counted(evaluation.microStep),
    `${loss(numbers.loss)}${intervalText(evaluation.validationInterval)}`,
    fixed(numbers.perplexity, 2),
    loss(numbers.bitsPerByte),
    loss(numbers.inferenceLoss),
    duration(secondsOf(evaluation)),
    evaluationCell(evaluation),
  ];
}

/** Of those that succeeded: a table of all numbers side by side would be wider than paper. */
function furtherTable(evaluations: readonly Evaluation[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Micro-step", numeric: true },
      { title: "Bits per character", numeric: true },
      { title: "Likeliest token came true", numeric: true },
      { title: "Calibration error", numeric: true },
      { title: "Interval of the inference loss", numeric: true },
      { title: "BLEU-4", numeric: true },
      { title: "chrF2", numeric: true },
    ],
    rows: evaluations.filter(({ state }) => state === Evaluation_State.SUCCEEDED).map(furtherRow),
  };
}

function furtherRow(evaluation: Evaluation): Cell[] {
  const numbers = evaluationNumbers(evaluation);
  const { inferenceInterval: interval } = evaluation;
  return [
    counted(evaluation.microStep),
    loss(numbers.bitsPerCharacter),
    percent(numbers.top1Accuracy),
    percent(numbers.calibrationError),
    interval === undefined ? absent : `${loss(interval.low)} to ${loss(interval.high)}`,
    metricValue("eval/bleu", numbers.bleu),
    metricValue("eval/chrf", numbers.chrf),
  ];
}

/** What an evaluation came to, in a word, and why. */
export function evaluationCell(evaluation: Evaluation): Cell {
  const { state, error, supersededBy, supersedes, certificate } = evaluation;
  if (state === Evaluation_State.FAILED_CERTIFICATION) {
    return { text: `✗ not certified: ${refutation(evaluation)}`, tone: "bad" };
  }
  if (state !== Evaluation_State.SUCCEEDED) return { text: `✗ failed: ${error}`, tone: "bad" };
  if (supersededBy !== "") return { text: `→ superseded by ${supersededBy}`, tone: "quiet" };
  if (certificate === undefined) return { text: "! succeeded, without a certificate", tone: "open" };
  const note = supersedes === undefined ? "" : `, corrects ${supersedes.evaluation}`;
  return { text: `✓ succeeded${note}`, tone: "good" };
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
        `${counted(evaluation.validationRows)} rows, ${counted(evaluation.validationLoss?.tokens ?? 0n)} targets, ${counted(evaluation.validationBytes)} bytes, ${counted(evaluation.validationCharacters)} characters`,
      ],
      ["Longest context", `${counted(evaluation.context)} tokens`],
      ["Stride of longer rows", settings?.stride ? `${counted(settings.stride)} tokens` : "the context"],
      ["Markers", { code: evaluation.markerRule }],
      ["Precision", { code: evaluation.precision }],
      ["Bootstrap", resampling],
      ["SHA-256 of the dataset's manifest", { code: evaluation.datasetSha256 }],
      ["SHA-256 of the tokenizer", { code: evaluation.tokenizerSha256 }],
      ...lossesFacts(evaluation),
    ],
  };
}

function lossesFacts({ lossesBlob, lossesSha256 }: Evaluation): (readonly [string, Cell])[] {
  if (lossesBlob === "") return [];
  return [
    ["Losses of every token", { code: lossesBlob }],
    ["SHA-256 of that file", { code: lossesSha256 }],
  ];
}
