/** From the losses of rows and samples to the numbers of an evaluation: sums first, each divided once. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type Interval as Bounds,
  bitsPerByte,
  bitsPerCharacter,
  bootstrapInterval,
  type LossTotal,
  perplexity,
  totalLoss,
} from "@pretrain/measures";
import {
  type DatasetAnalysis,
  type Evaluation,
  EvaluationSchema,
  type EvaluationSettings,
  type Interval,
  IntervalSchema,
  type Loss,
  type Sample,
  SampleSchema,
} from "@pretrain/proto";
import type { RowLoss, ScoredSample } from "../worker/protocol.ts";
import { generationNumbers } from "./generation-numbers.ts";
import { lossMessage } from "./loss-message.ts";
import { targetNumbers } from "./target-numbers.ts";

/** What was computed, and over what. */
export interface Scores {
  readonly settings: EvaluationSettings;
  readonly rows: readonly RowLoss[];
  readonly samples: readonly ScoredSample[];
  /** Rows passed over because they are too short to be samples. */
  readonly skippedRows: number;
  /** What is known of the training text; without it there is no loss by frequency and no overlap. */
  readonly analysis?: Pick<DatasetAnalysis, "trainTokenCounts" | "overlap">;
}

/** The fields of an evaluation that only a successful one has: its numbers. */
export type Measurement = Pick<Evaluation, RequiredNumber> & Partial<Pick<Evaluation, OptionalNumber>>;

type RequiredNumber =
  | "inferenceLoss"
  | "validationLoss"
  | "validationInterval"
  | "perplexity"
  | "textNats"
  | "validationBytes"
  | "validationCharacters"
  | "validationRows"
  | "calibration"
  | "lossByPosition"
  | "lossByFrequency"
  | "samples"
  | "skippedRows"
  | "generation"
  | "context"
  | "markerRule"
  | "precision";

type OptionalNumber = "bitsPerByte" | "bitsPerCharacter" | "top1Accuracy" | "overlap" | "inferenceInterval";

/** `bos` opens each row and is not a target, `eos` is one. */
export const markerRule = "bos_given_eos_scored";

/** Fixed, so that the same rows give the same interval. */
const bootstrapSeed = 42;
const bootstrapResamples = 1000; // as many as @pretrain/measures draws

/**
 * Of rows without a sample among them the validation numbers alone; `inference_loss` then counts 0 tokens.
 *
 * @throws FailedPrecondition when there is no target to be scored, or a number is not finite
 */
export function measurement({ settings, rows, samples, skippedRows, analysis }: Scores): Measurement {
  return {
    ...validationNumbers(rows),
    ...textNumbers(rows),
    ...targetNumbers(rows, analysis?.trainTokenCounts),
    ...(analysis?.overlap !== undefined && { overlap: analysis.overlap }),
    ...sampleNumbers(samples),
    skippedRows: BigInt(skippedRows),
    generation: generationNumbers(settings.predictLength, samples),
    context: rows.reduce((longest, { context }) => Math.max(longest, context), 0),
    markerRule,
    precision: "float32",
  };
}

function validationNumbers(rows: readonly RowLoss[]) {
  const loss = totalLoss(rows);
  const interval = bootstrapInterval(rows, bootstrapSeed);
  const shown = perplexity(loss);
  if (interval === undefined || shown === undefined) {
    throw new FailedPrecondition("NOTHING_TO_SCORE", `the validation split has no target in its ${rows.length} rows`);
  }
  expectFinite({ validation_loss: loss.nats, perplexity: shown, low: interval.low, high: interval.high });
  return {
    validationLoss: finiteLoss("validation_loss", loss),
    validationInterval: intervalMessage(interval),
    perplexity: shown,
    validationRows: BigInt(rows.length),
  };
}

/** Of the text alone: markers are in none of the sums. */
function textNumbers(rows: readonly RowLoss[]) {
  const sumOf = (part: "textNats" | "bytes" | "characters") => rows.reduce((sum, row) => sum + row[part], 0);
  const [nats, bytes, characters] = [sumOf("textNats"), sumOf("bytes"), sumOf("characters")];
  const [perByte, perCharacter] = [bitsPerByte({ nats, bytes }), bitsPerCharacter({ nats, characters })];
  return {
    textNats: nats,
    ...(perByte !== undefined && { bitsPerByte: perByte }),
    ...(perCharacter !== undefined && { bitsPerCharacter: perCharacter }),
    validationBytes: BigInt(bytes),
    validationCharacters: BigInt(characters),
  };
}

function sampleNumbers(samples: readonly ScoredSample[]) {
  const interval = bootstrapInterval(samples, bootstrapSeed);
  return {
    inferenceLoss: finiteLoss("inference_loss", totalLoss(samples)),
    ...(interval !== undefined && { inferenceInterval: intervalMessage(interval) }),
    samples: samples.map(sampleMessage),
  };
}

/** A message of the broker has at most 1 MiB, and the record and the event hold the result once each. */
const largestResultBytes = 900_000;

/** @throws FailedPrecondition when the texts of the samples, and of a correction, are more than a record can hold */
export function refuseLargeResult(measured: Measurement & Partial<Pick<Evaluation, "supersedes">>): void {
  const bytes = Buffer.byteLength(toJsonString(EvaluationSchema, create(EvaluationSchema, measured)));
  if (bytes <= largestResultBytes) return;
  const message = `${measured.samples.length} samples with their texts take ${bytes} bytes, a record holds ${largestResultBytes}`;
  throw new FailedPrecondition("RESULT_TOO_LARGE", `${message}; ask for fewer or shorter samples`);
}

function expectFinite(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new FailedPrecondition("NOT_FINITE", `${name} is ${value}`, { name });
  }
}

function finiteLoss(name: string, loss: LossTotal): Loss {
  expectFinite({ [name]: loss.nats });
  return lossMessage(loss);
}

function intervalMessage({ low, high }: Bounds): Interval {
  return create(IntervalSchema, { low, high, resamples: bootstrapResamples, seed: bootstrapSeed });
}

function sampleMessage(scored: ScoredSample): Sample {
  const { rowId, inputText, predictedText, trueText, generatedTokens, stopReason } = scored;
  const loss = finiteLoss(`the loss of row ${rowId}`, scored);
  return create(SampleSchema, {
    rowId: BigInt(rowId),
    inputText,
    predictedText,
    trueText,
    loss,
    generatedTokens,
    stopReason,
  });
}
