/** Test support: a checkpoint, as the trainer announces it. */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CheckpointWrittenSchema } from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { datasetReport } from "./run-facts.ts";
import { experimentOf, nonceOf, type RunShape } from "./run-shape.ts";
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

export function checkpointName(shape: RunShape, microStep: number): string {
  return `${experimentOf(shape)}/checkpoints/${microStep}`;
}

export function manifestDigest(shape: RunShape, attempt: number, microStep: number): string {
  return digest(`${shape.id}/${attempt}/${microStep}/manifest.json`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
