/**
 * An attempt without its processes: the loop that computes and the thread that writes checkpoints are the real ones, batches and seals are
 * the test's. What dies with the process that computes dies here too, at the micro-step that the test names.
 */

import { openBlobs } from "@pretrain/blobs";
import { type CheckpointManifest, type SealedCheckpoint, sealCheckpoint } from "@pretrain/checkpoint";
import { totals } from "../experiment/step-plan.ts";
import { CheckpointWriter, type WrittenCheckpoint } from "../worker/checkpoint-writer.ts";
import { Inbox } from "../worker/inbox.ts";
import { openRun } from "../worker/open-run.ts";
import type { Batch, Cursor, FromChild, TrainingSetup } from "../worker/protocol.ts";
import { train } from "../worker/train.ts";

/** 13 rows of 7 or 8 tokens, in batches of 4: 4 micro-steps an epoch, the last one of a single row. */
const rows = 13;
const batchRows = 4;
const width = 8;
const vocabulary = 20;

/** 3 epochs, 12 micro-steps. */
export const tinySetup: TrainingSetup = {
  experiment: "tiny",
  attempt: 1,
  attemptNonce: "n",
  recipeSha256: "a".repeat(64),
  dataset: "rows",
  datasetSha256: "b".repeat(64),
  shape: {
    vocabularySize: vocabulary,
    dim: 8,
    layers: 1,
    heads: 2,
    keyValueHeads: 1,
    hiddenDim: 12,
    normEps: 1e-5,
    ropeTheta: 1e4,
    maxSequenceLength: width,
  },
  plan: { epochs: 3, microStepsPerEpoch: 4, accumulationSteps: 1, lastAccumulation: "carry" },
  lossRule: "micro_mean",
  schedule: { kind: "cosine_to_zero", peak: 1e-2, warmupSteps: 0, totalSteps: 12 },
  optimizer: {
    adamW: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" },
    maxGradientNorm: 1,
  },
  seed: 3,
  saveInterval: 1,
  deviceBatchRows: batchRows,
  precision: "float32",
  memoryInterval: 1_000,
  exactness: {},
  resume: undefined,
  imported: undefined,
};

/** The order of rows: that of the file, or another one in each epoch. */
export type Shuffle = "none" | "per_epoch";

export interface AttemptOptions {
  readonly setup: TrainingSetup;
  readonly shuffle: Shuffle;
  /** Address of the store. */
  readonly blobs: string;
  /** Where traced functions are kept. */
  readonly programs: string;
  /** Everything ends right behind this micro-step, with a checkpoint half written if one is on its way. */
  readonly diesBehind?: number;
}

export interface AttemptOutcome {
  /** Nats by micro-step. */
  readonly losses: ReadonlyMap<number, number>;
  /** In the order in which they were told of. */
  readonly sealed: readonly SealedCheckpoint[];
  /** Of each checkpoint, how many steps were computed while it was written. */
  readonly stepsMeanwhile: readonly number[];
}

export async function attemptInProcess({
  setup,
  shuffle,
  programs,
  ...options
}: AttemptOptions): Promise<AttemptOutcome> {
  const last = Math.min(options.diesBehind ?? Number.POSITIVE_INFINITY, totals(setup.plan).microSteps);
  const store = openBlobs(options.blobs);
  const inbox = new Inbox();
  const losses = new Map<number, number>();
  const stepsMeanwhile: number[] = [];
  const sealing: Promise<SealedCheckpoint>[] = [];
  const isOver = Promise.withResolvers<void>();
  const onWritten = (written: WrittenCheckpoint) => {
    stepsMeanwhile.push(losses.size + (setup.resume?.manifest.microStep ?? 0) - written.state.microStep);
    const seal = sealCheckpoint(store, manifestOf(written));
    seal.catch(() => undefined); // it is told at the end, with the others
    sealing.push(seal);
  };
  await using checkpoints = new CheckpointWriter({
    blobs: options.blobs,
    shape: setup.shape,
    mayWrite: async () => undefined,
    onWritten,
  });
  const run = await openRun(store, setup, programs);
  for (const batch of batchesFrom(run.counters.microStep, run.counters.cursor, shuffle, last)) inbox.put(batch);
  const send = (message: FromChild) => {
    if (message.kind === "step") losses.set(message.microStep, message.lossNats);
    if (message.kind === "step" && message.microStep === options.diesBehind) isOver.resolve();
    return Promise.resolve();
  };
  try {
    await Promise.race([train({ run, setup, checkpoints, inbox, send }), isOver.promise]);
  } finally {
    await Promise.allSettled(sealing); // also when training failed: nothing goes on behind this function
  }
  return { losses, sealed: await Promise.all(sealing), stepsMeanwhile };
}

/** The batches of the micro-steps behind `done`, from a place in the order of rows on, up to `last`. */
export function* batchesFrom(
  done: number,
  { epoch, row }: Cursor,
  shuffle: Shuffle,
  last: number,
): Generator<Batch, void> {
  for (let microStep = done + 1; microStep <= last; microStep += 1) {
    const count = Math.min(batchRows, rows - row);
    const ids = Array.from({ length: count }, (_, i) => rowAt(row + i, epoch, shuffle));
    const next = row + count < rows ? { epoch, row: row + count } : { epoch: epoch + 1, row: 0 };
    const tokens = Uint16Array.from(ids.flatMap((id) => Array.from({ length: width }, (_, p) => tokenAt(id, p))));
    yield { microStep, epoch, tokens, lengths: Int32Array.from(ids, lengthOf), next };
    ({ epoch, row } = next);
  }
}

function rowAt(place: number, epoch: number, shuffle: Shuffle): number {
  return shuffle === "none" ? place : (5 * place + 3 * epoch) % rows;
}

function lengthOf(row: number): number {
  return width - (row % 2);
}

function tokenAt(row: number, position: number): number {
  return position < lengthOf(row) ? 1 + ((7 * row + 3 * position * position) % (vocabulary - 1)) : 0;
}

function manifestOf({ state, parts, writeSeconds }: WrittenCheckpoint): CheckpointManifest {
  const { cursor: _cursor, seed: _seed, datasetSha256: _sha256, exactness: _exactness, ...shared } = state;
  return { ...shared, final: false, createTime: "2026-01-01T00:00:00.000Z", writeSeconds, parts };
}
