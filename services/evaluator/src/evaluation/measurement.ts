/** From the losses of rows and samples to the numbers of an evaluation: sums first, each divided once. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type Interval as Bounds,
  bitsPerByte,
  bootstrapInterval,
  type LossTotal,
  meanNatsPerToken,
  perplexity,
  totalLoss,
} from "@pretrain/measures";
import {
  type Evaluation,
  EvaluationSchema,
  type EvaluationSettings,
  GenerationStatisticsSchema,
  type Interval,
  IntervalSchema,
  type Loss,
  LossSchema,
  type Sample,
  SampleSchema,
} from "@pretrain/proto";
import type { RowLoss, ScoredSample } from "../worker/protocol.ts";

/** What was computed, and over what. */
export interface Scores {
  readonly settings: EvaluationSettings;
  readonly rows: readonly RowLoss[];
  readonly samples: readonly ScoredSample[];
  /** Rows passed over because they are too short to be samples. */
  readonly skippedRows: number;
}

/** The fields of an evaluation that only a successful one has: its numbers. */
export type Measurement = Pick<
  Evaluation,
  | "inferenceLoss"
  | "validationLoss"
  | "validationInterval"
  | "perplexity"
  | "bitsPerByte"
  | "validationBytes"
  | "validationRows"
  | "samples"
  | "skippedRows"
  | "generation"
  | "context"
  | "markerRule"
  | "precision"
>;

/** Fixed, so that the same rows give the same interval. */
const bootstrapSeed = 42;
const bootstrapResamples = 1000; // as many as @pretrain/measures draws

/**
 * Of rows without a sample among them the validation numbers alone; `inference_loss` then counts 0 tokens.
 *
 * @throws FailedPrecondition when there is no target to be scored, or a number is not finite
 */
export function measurement({ settings, rows, samples, skippedRows }: Scores): Measurement {
  const loss = totalLoss(rows);
  const interval = bootstrapInterval(rows, bootstrapSeed);
  const shown = perplexity(loss);
  if (interval === undefined || shown === undefined) {
    throw new FailedPrecondition("NOTHING_TO_SCORE", `the validation split has no target in its ${rows.length} rows`);
  }
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const textNats = rows.reduce((sum, row) => sum + row.textNats, 0);
  const bits = bitsPerByte({ nats: textNats, bytes }); // of the text alone: markers are neither in the loss nor in the bytes
  expectFinite({ validation_loss: loss.nats, perplexity: shown, low: interval.low, high: interval.high });
  return {
    inferenceLoss: finiteLoss("inference_loss", totalLoss(samples)),
    validationLoss: finiteLoss("validation_loss", loss),
    validationInterval: intervalMessage(interval),
    perplexity: shown,
    ...(bits !== undefined && { bitsPerByte: bits }),
    validationBytes: BigInt(bytes),
    validationRows: BigInt(rows.length),
    samples: samples.map(sampleMessage),
    skippedRows: BigInt(skippedRows),
    generation: generation(settings, samples),
    context: rows.reduce((longest, { tokens }) => Math.max(longest, tokens), 0), // all of a row but its last token
    markerRule: "bos_given_eos_scored",
    precision: "float32",
  };
}

/** A message of the broker has at most 1 MiB, and the record and the event hold the result once each. */
const largestResultBytes = 900_000;

/** @throws FailedPrecondition when the texts of the samples are more than a record can hold */
export function refuseLargeResult(measured: Measurement): void {
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

function finiteLoss(name: string, { nats, tokens }: LossTotal): Loss {
  expectFinite({ [name]: nats });
  const natsPerToken = meanNatsPerToken({ nats, tokens });
  return create(LossSchema, { nats, tokens: BigInt(tokens), ...(natsPerToken !== undefined && { natsPerToken }) });
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

function generation({ predictLength }: EvaluationSettings, samples: readonly ScoredSample[]) {
  return create(GenerationStatisticsSchema, {
    requestedTokens: BigInt(predictLength * samples.length),
    generatedTokens: BigInt(samples.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0)),
    eosFound: BigInt(samples.filter(({ stopReason }) => stopReason === "eos").length),
    samples: BigInt(samples.length),
  });
}
