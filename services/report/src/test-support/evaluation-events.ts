/** Test support: evaluations as the evaluator announces them: as planned, as a correction, without a certificate that holds. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Canary_Outcome,
  type Certificate,
  CertificateSchema,
  CorrectionSchema,
  type Evaluation,
  Evaluation_State,
  EvaluationEndedSchema,
  EvaluationSchema,
  type Loss,
  LossSchema,
} from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { checkpointName, manifestDigest } from "./checkpoint-events.ts";
import { datasetReport } from "./run-facts.ts";
import { experimentOf, type RunShape } from "./run-shape.ts";
import { samples } from "./sample-texts.ts";
import type { Moment } from "./step-events.ts";

/**
 * @param changes fields that are otherwise than of a planned evaluation that succeeded
 * @param natsPerToken its validation loss
 */
export function evaluationEvent(
  shape: RunShape,
  { attempt, microStep, endMs }: Moment,
  changes: Partial<Evaluation> = {},
  natsPerToken = validationLossAfter(microStep / (shape.epochs * shape.stepsPerEpoch)),
): LedgerEvent {
  const planned = create(EvaluationSchema, {
    name: `evaluations/${shape.id}-${microStep}`,
    state: Evaluation_State.SUCCEEDED,
    checkpoint: checkpointName(shape, microStep),
    checkpointSha256: manifestDigest(shape, attempt, microStep),
    dataset: datasetReport.dataset,
    datasetSha256: datasetReport.manifestSha256,
    tokenizerSha256: datasetReport.tokenizerSha256,
    settings: { samples: 10, inputLength: 100, predictLength: 100, batchRows: 8 },
    createTime: timestampFromMs(endMs - 19_500),
    startTime: timestampFromMs(endMs - 19_000),
    endTime: timestampFromMs(endMs),
    microStep: BigInt(microStep),
    certificate: certificate(),
    ...numbersOf(natsPerToken),
  });
  const evaluation = Object.assign(planned, changes);
  const ended = { experiment: experimentOf(shape), time: timestampFromMs(endMs), evaluation };
  return { kind: "evaluation", message: create(EvaluationEndedSchema, ended) };
}

/** @param progress share of the run that is done */
function validationLossAfter(progress: number): number {
  return 3.62 + 1.9 * Math.exp(-progress * 2.5);
}

/** A later measurement of the same checkpoint, which supersedes the planned one. */
export function correctionEvent(
  shape: RunShape,
  moment: Moment,
  { nats, cause }: { readonly nats: number; readonly cause: string },
): LedgerEvent {
  const evaluation = `evaluations/${shape.id}-${moment.microStep}`;
  const fix = "logits[input_length-1 : input_length+predict_length-1]";
  const supersedes = create(CorrectionSchema, { evaluation, cause, fix, author: "林岚" });
  const name = `${evaluation}-c4a11e0d`;
  return evaluationEvent(shape, moment, { name, supersedes, inferenceLoss: lossOf(nats, 1000) });
}

/** Of another number of rows at once. Numbers and all: no evaluator would announce them, and no record may show them. */
export function uncertifiedEvent(shape: RunShape, moment: Moment): LedgerEvent {
  const changes = {
    name: `evaluations/${shape.id}-${moment.microStep}-ba7c0001`,
    state: Evaluation_State.FAILED_CERTIFICATION,
    error: "canary next_token_oracle failed: 8.7642 nats, at most 0.0001",
    certificate: certificate(8.7642),
  };
  return evaluationEvent(shape, moment, changes, 7.7531);
}

/** @param oracleNats what a model that knows the next token was found to cost at most */
function certificate(oracleNats = 3.1e-6): Certificate {
  const oracle = {
    name: "next_token_oracle",
    claim: "a model that knows the next token pays nothing for it",
    outcome: oracleNats > 1e-4 ? Canary_Outcome.FAILED : Canary_Outcome.PASSED,
    deviation: oracleNats,
    limit: 1e-4,
    unit: "nats",
    evidence: `16 rows of 7 to 61 tokens, worst row 3: ${oracleNats} nats per token away`,
  };
  return create(CertificateSchema, {
    canaries: [
      {
        name: "uniform_logits",
        claim: "equal scores for all tokens cost ln V each",
        outcome: Canary_Outcome.PASSED,
        deviation: 0,
        limit: 1e-6,
        unit: "nats",
        evidence: "every one of 496 targets cost ln 6400 = 8.7641 nats",
      },
      oracle,
      {
        name: "cached_decode",
        claim: "a token at a time costs what all at once cost",
        outcome: Canary_Outcome.NOT_APPLICABLE,
        deviation: 0,
        limit: 1e-4,
        unit: "nats",
        evidence: "no row of the split is longer than one token",
      },
    ],
    checkpointSha256: "5b".repeat(32),
    tokenizerSha256: datasetReport.tokenizerSha256,
    codeSha256: "6a".repeat(32),
    device: "cpu",
    precision: "float32",
    shapes: ["8 x 512", "8 x 128"],
    seconds: 1.25,
  });
}

const targets = 9512;

function numbersOf(natsPerToken: number) {
  return {
    inferenceLoss: lossOf(natsPerToken - 0.06, 1000),
    inferenceInterval: { low: natsPerToken - 0.26, high: natsPerToken + 0.14, resamples: 1000, seed: 42 },
    validationLoss: lossOf(natsPerToken, targets),
    validationInterval: { low: natsPerToken - 0.05, high: natsPerToken + 0.05, resamples: 1000, seed: 42 },
    perplexity: Math.exp(natsPerToken),
    textNats: natsPerToken * (targets - 21), // each of the 21 rows ends with eos
    validationBytes: 38_120n,
    validationCharacters: 37_900n,
    validationRows: 21n,
    calibration: calibration(),
    lossByPosition: buckets(natsPerToken + 0.4, positions),
    lossByFrequency: buckets(natsPerToken + 2, frequencies),
    overlap: {
      validationRows: 21n,
      identicalRows: 1n,
      runTokens: 13,
      validationRuns: 9_239n,
      overlappingRuns: 462n,
      rowsWithOverlap: 3n,
    },
    samples: samples.map((sample, index) => ({
      rowId: BigInt(3 * index),
      ...sample,
      loss: lossOf(natsPerToken - 0.4 + 0.08 * index, 100),
      generatedTokens: 100,
      stopReason: "max_new_tokens",
    })),
    skippedRows: 2n,
    generation: {
      requestedTokens: 1000n,
      generatedTokens: 1000n,
      eosFound: 0n,
      samples: 10n,
      runs: [1, 2, 3, 4].map((runTokens) => ({
        runTokens,
        runs: BigInt(1010 - 10 * runTokens),
        distinct: BigInt(100 + 150 * runTokens),
        repeated: BigInt(600 - 140 * runTokens),
      })),
      bleu: 1.73,
      chrf: 19.4,
    },
    context: 512,
    markerRule: "bos_given_eos_scored",
    precision: "float32",
    lossesBlob: "experiments/1-4-0/evaluations/losses.safetensors",
    lossesSha256: "7c".repeat(32),
  };
}

/** Fifteen bins, the fuller the less sure; each nine tenths as often right as it is sure. */
function calibration() {
  const bins = Array.from({ length: 15 }, (_, index) => {
    const tokens = Math.floor((targets * (15 - index)) / 120) + (index === 0 ? 7 : 0); // the 7 are lost by rounding down
    const confidenceSum = (tokens * (index + 0.5)) / 15;
    const correct = BigInt(Math.round(0.9 * confidenceSum));
    return { low: index / 15, high: (index + 1) / 15, tokens: BigInt(tokens), confidenceSum, correct };
  });
  return { bins };
}

/** First and last of each bucket, and targets in it. */
type Extent = readonly [from: number, to: number, targets: number];

const positions: readonly Extent[] = [
  [1, 15, 315],
  [16, 31, 336],
  [32, 63, 672],
  [64, 127, 1344],
  [128, 255, 2688],
  [256, 511, 4157],
];

const frequencies: readonly Extent[] = [
  [0, 0, 12],
  [1, 9, 140],
  [10, 99, 1460],
  [100, 999, 3900],
  [1000, 9999, 4000],
];

function buckets(firstNats: number, extents: readonly Extent[]) {
  return extents.map(([from, to, tokens], index) => ({
    from: BigInt(from),
    to: BigInt(to),
    loss: lossOf(firstNats - 0.1 * index, tokens),
  }));
}

function lossOf(natsPerToken: number, tokens: number): Loss {
  return create(LossSchema, { nats: natsPerToken * tokens, tokens: BigInt(tokens), natsPerToken });
}
