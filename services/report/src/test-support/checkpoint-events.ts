/** Test support: a checkpoint and its evaluation, as the trainer and the evaluator announce them. */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CheckpointWrittenSchema,
  Evaluation_State,
  EvaluationEndedSchema,
  type Loss,
  LossSchema,
} from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { datasetReport } from "./run-facts.ts";
import { experimentOf, nonceOf, type RunShape } from "./run-shape.ts";
import { samples } from "./sample-texts.ts";
import type { Moment } from "./step-events.ts";

export function checkpointEvent(shape: RunShape, { attempt, microStep, endMs }: Moment): LedgerEvent {
  const time = timestampFromMs(endMs);
  const manifestSha256 = manifestDigest(shape, attempt, microStep);
  const checkpoint = {
    name: checkpointName(shape, microStep),
    microStep: BigInt(microStep),
    optimizerStep: BigInt(Math.floor(microStep / shape.accumulation)),
    epoch: Math.ceil(microStep / shape.stepsPerEpoch),
    tokensSeen: BigInt(microStep * 3800),
    createTime: time,
    attempt,
    final: microStep === shape.epochs * shape.stepsPerEpoch,
    manifestSha256,
    parts: partsOf(shape, attempt, microStep),
    recipeSha256: recipeSha256(shape.recipe),
    dataset: datasetReport.dataset,
  };
  const written = {
    experiment: experimentOf(shape),
    attempt,
    attemptNonce: nonceOf(attempt),
    time,
    checkpoint,
    writeSeconds: 0.21,
  };
  return { kind: "checkpoint", message: create(CheckpointWrittenSchema, written) };
}

function partsOf(shape: RunShape, attempt: number, microStep: number) {
  const sizes = { "model.safetensors": 5_693_800n, "optimizer.safetensors": 11_387_500n, "state.json": 1_240n };
  return Object.entries(sizes).map(([name, sizeBytes]) => {
    const sha256 = digest(`${shape.id}/${attempt}/${microStep}/${name}`);
    return {
      name,
      blob: `experiments/${shape.id}/checkpoints/${microStep}/${sha256.slice(0, 16)}.${name}`,
      sizeBytes,
      sha256,
    };
  });
}

export function evaluationEvent(shape: RunShape, { attempt, microStep, endMs }: Moment): LedgerEvent {
  const progress = microStep / (shape.epochs * shape.stepsPerEpoch);
  const validation = 3.62 + 1.9 * Math.exp(-progress * 2.5);
  const evaluation = {
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
    inferenceLoss: lossOf(validation - 0.06, 1000),
    ...validationNumbers(validation),
    samples: samples.map((sample, index) => ({
      rowId: BigInt(3 * index),
      ...sample,
      loss: lossOf(validation - 0.4 + 0.08 * index, 100),
      generatedTokens: 100,
      stopReason: "max_new_tokens",
    })),
    skippedRows: 2n,
    generation: { requestedTokens: 1000n, generatedTokens: 1000n, eosFound: 0n, samples: 10n },
    context: 512,
    markerRule: "bos_given_eos_scored",
    precision: "float32",
    microStep: BigInt(microStep),
  };
  const ended = { experiment: experimentOf(shape), time: timestampFromMs(endMs), evaluation };
  return { kind: "evaluation", message: create(EvaluationEndedSchema, ended) };
}

function validationNumbers(natsPerToken: number) {
  const validationLoss = lossOf(natsPerToken, 9_512);
  return {
    validationLoss,
    validationInterval: { low: natsPerToken - 0.05, high: natsPerToken + 0.05, resamples: 1000, seed: 1 },
    perplexity: Math.exp(natsPerToken),
    bitsPerByte: validationLoss.nats / Math.LN2 / 38_120,
    validationBytes: 38_120n,
    validationRows: 21n,
  };
}

function lossOf(natsPerToken: number, tokens: number): Loss {
  return create(LossSchema, { nats: natsPerToken * tokens, tokens: BigInt(tokens), natsPerToken });
}

function checkpointName(shape: RunShape, microStep: number): string {
  return `${experimentOf(shape)}/checkpoints/${microStep}`;
}

function manifestDigest(shape: RunShape, attempt: number, microStep: number): string {
  return digest(`${shape.id}/${attempt}/${microStep}/manifest.json`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
