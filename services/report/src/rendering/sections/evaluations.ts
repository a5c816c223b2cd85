/** What the checkpoints were worth: the numbers of all evaluations, and of the last one how they come about. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Evaluation, Evaluation_State, type Report } from "@pretrain/proto";
import { evaluationNumbers } from "../../record/evaluation-numbers.ts";
import { stands } from "../../record/known-evaluations.ts";
import { refutation } from "../certificate-words.ts";
import { absent, counted, duration, fixed, loss, metricValue, percent } from "../figures.ts";
import { intervalText } from "../interval-text.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { distributionBlocks } from "./distributions.ts";

export function evaluationsSection({ evaluations }: Pick<Report, "evaluations">, words: Phrases): Section {
  const { evaluations: texts } = words.evaluation;
  const last = evaluations.findLast(stands);
  return {
    id: "evaluations",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: orNone(
      [
        evaluationTable(evaluations, words),
        furtherTable(evaluations, texts),
        ...(last ? [...basisBlocks(last, texts), ...distributionBlocks(last, words)] : []),
      ],
      evaluations.length === 0,
      words.document.none,
    ),
  };
}

function evaluationTable(evaluations: readonly Evaluation[], words: Phrases): Block {
  const { evaluations: texts } = words.evaluation;
  return {
    kind: "table",
    columns: [
      { title: texts.microStep, numeric: true },
      { title: texts.loss, numeric: true },
      { title: texts.perplexity, numeric: true },
      { title: texts.bitsPerByte, numeric: true },
      { title: texts.inferenceLoss, numeric: true },
      { title: texts.took, numeric: true },
      { title: texts.state },
    ],
    rows: evaluations.map((evaluation) => evaluationRow(evaluation, words)),
  };
}

function evaluationRow(evaluation: Evaluation, words: Phrases): Cell[] {
  const numbers = evaluationNumbers(evaluation);
  return [
    counted(evaluation.microStep),
    `${loss(numbers.loss)}${intervalText(evaluation.validationInterval)}`,
    fixed(numbers.perplexity, 2),
    loss(numbers.bitsPerByte),
    loss(numbers.inferenceLoss),
    duration(secondsOf(evaluation)),
    evaluationCell(evaluation, words),
  ];
}

/** Of those that succeeded: a table of all numbers side by side would be wider than paper. */
function furtherTable(evaluations: readonly Evaluation[], texts: Phrases["evaluation"]["evaluations"]): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.microStep, numeric: true },
      { title: texts.bitsPerCharacter, numeric: true },
      { title: texts.top1, numeric: true },
      { title: texts.calibration, numeric: true },
      { title: texts.inferenceInterval, numeric: true },
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
    intervalText(interval).trim() || absent,
    metricValue("eval/bleu", numbers.bleu),
    metricValue("eval/chrf", numbers.chrf),
  ];
}

/** What an evaluation came to, in a word, and why. */
function evaluationCell(evaluation: Evaluation, words: Phrases): Cell {
  const { evaluations: texts } = words.evaluation;
  const { state, error, supersededBy, supersedes, certificate } = evaluation;
  if (state === Evaluation_State.FAILED_CERTIFICATION) {
    return { text: texts.notCertified(refutation(evaluation, words)), tone: "bad" };
  }
  if (state !== Evaluation_State.SUCCEEDED) return { text: texts.failed(error), tone: "bad" };
  if (supersededBy !== "") return { text: texts.supersededBy(supersededBy), tone: "quiet" };
  if (certificate === undefined) return { text: texts.withoutCertificate, tone: "open" };
  return { text: supersedes === undefined ? texts.succeeded : texts.corrects(supersedes.evaluation), tone: "good" };
}

function secondsOf({ startTime, endTime }: Evaluation): number | undefined {
  return startTime && endTime ? (timestampMs(endTime) - timestampMs(startTime)) / 1000 : undefined;
}

/** What the numbers were computed over; the same for all evaluations of a run but for the checkpoint. */
function basisBlocks(evaluation: Evaluation, texts: Phrases["evaluation"]["evaluations"]): Block[] {
  const { settings, validationInterval: interval } = evaluation;
  const prompts = settings
    ? texts.samplesOf(String(settings.samples), String(settings.inputLength), String(settings.predictLength))
    : absent;
  const split = texts.splitOf({
    rows: counted(evaluation.validationRows),
    targets: counted(evaluation.validationLoss?.tokens ?? 0n),
    bytes: counted(evaluation.validationBytes),
    characters: counted(evaluation.validationCharacters),
  });
  return [
    { kind: "heading", text: texts.basis },
    {
      kind: "facts",
      rows: [
        [texts.samples, prompts],
        [texts.split, split],
        [texts.context, texts.tokens(counted(evaluation.context))],
        [texts.stride, settings?.stride ? texts.tokens(counted(settings.stride)) : texts.strideIsContext],
        [texts.markers, { code: evaluation.markerRule }],
        [texts.precision, { code: evaluation.precision }],
        [texts.bootstrap, interval ? texts.resamples(counted(interval.resamples), String(interval.seed)) : absent],
        [texts.dataset, { code: evaluation.datasetSha256 }],
        [texts.tokenizer, { code: evaluation.tokenizerSha256 }],
        ...lossesFacts(evaluation, texts),
      ],
    },
  ];
}

function lossesFacts(
  { lossesBlob, lossesSha256 }: Evaluation,
  texts: Phrases["evaluation"]["evaluations"],
): (readonly [string, Cell])[] {
  if (lossesBlob === "") return [];
  return [
    [texts.losses, { code: lossesBlob }],
    [texts.lossesDigest, { code: lossesSha256 }],
  ];
}
