/**
 * What the two processes of a worker say to each other. The parent holds the work, the broker and the record; the child holds
 * TensorFlow and the weights:
 *
 *     parent                               child
 *       │ ◀──────── environment ─────────── │   TensorFlow is loaded
 *       │ ───────── prepare ──────────────▶ │
 *       │ ◀──────── ready ───────────────── │   weights built, or read from a checkpoint
 *       │ ───────── batch, batch ─────────▶ │   the parent is a batch or two ahead
 *       │ ◀──────── step ────────────────── │   one per batch, in order
 *       │ ◀──────── save_due ────────────── │   the state is being copied
 *       │ ───────── save ─────────────────▶ │   if the attempt holds the experiment; training goes on
 *       │ ◀──────── checkpoint ──────────── │   parts written, while steps went on; it exists when the parent seals it
 *       │ ◀──────── writing ─────────────── │   every two seconds, while it has nothing to do but wait for a checkpoint
 *       │ ───────── stop ─────────────────▶ │
 *       │ ◀──────── stopped | failed ────── │   and the child ends
 *
 * A child that is prepared with a replay computes past steps again, and writes nothing: ready, then for each batch
 *
 *       │ ◀──────── examined ────────────── │   once, before the step that is looked at
 *       │ ◀──────── replayed ────────────── │
 */
import type { CheckpointState, SealedCheckpoint, StoredPart } from "@pretrain/checkpoint";
import type { ModelShape } from "@pretrain/model";
import type { LossRule, OptimizerSettings, Schedule } from "@pretrain/optim";
import type { TensorFlowDescription } from "@pretrain/tensorflow-native/environment";
import type { StepPlan } from "../experiment/step-plan.ts";
import type { ImportedFiles } from "./imported-weights.ts";

/** Everything that decides the numbers, and where they are kept. */
export interface TrainingSetup {
  /** Canonical id. */
  readonly experiment: string;
  readonly attempt: number;
  readonly attemptNonce: string;
  readonly recipeSha256: string;
  /** Id and digest of the dataset. */
  readonly dataset: string;
  readonly datasetSha256: string;
  readonly shape: ModelShape;
  readonly plan: StepPlan;
  readonly lossRule: LossRule;
  readonly schedule: Schedule;
  readonly optimizer: OptimizerSettings;
  readonly seed: number;
  /** Micro-steps between checkpoints. */
  readonly saveInterval: number;
  /** Rows computed at once. */
  readonly deviceBatchRows: number;
  /** What matrix products are computed in; state and sums are float32 always. */
  readonly precision: "float32" | "bfloat16";
  /** Micro-steps between samples of memory. */
  readonly memoryInterval: number;
  /** What the bits depend on besides; kept in each checkpoint. */
  readonly exactness: Readonly<Record<string, string>>;
  /** The checkpoint to go on from. */
  readonly resume: SealedCheckpoint | undefined;
  /** Where the first weights are read from when there is no checkpoint; undefined: the seed makes them. */
  readonly imported: ImportedFiles | undefined;
}

/** What past steps are computed again for. */
export interface ReplaySetup {
  /** The micro-step whose rows are looked at, with the weights that it was computed with. */
  readonly examined: number;
  /** The last micro-step to be computed again: that one, or the end of its optimizer step. */
  readonly last: number;
  /** Rows of which each target is listed. */
  readonly detailedRows: number;
  /** Key and digest of the tokenizer.json that the ids belong to. */
  readonly tokenizer: { readonly blob: string; readonly sha256: string };
}

/** A place in the order of rows: epoch, from 1, and rows of it handed out already. */
export interface Cursor {
  readonly epoch: number;
  readonly row: number;
}

export interface Batch {
  /** From 1, over all epochs. */
  readonly microStep: number;
  readonly epoch: number;
  /** [rows, max_seq_len], row-major, padded at the right. */
  readonly tokens: Uint16Array;
  /** [rows]: token ids of each row, padding not counted. */
  readonly lengths: Int32Array;
  /** Where the batch behind this one begins. */
  readonly next: Cursor;
}

/** `now`: behind the micro-step being computed. `at_checkpoint`: behind the optimizer step being computed, saved. */
export type StopPlace = "now" | "at_checkpoint";

export type ToChild =
  | {
      readonly kind: "prepare";
      readonly blobs: string;
      readonly programs: string;
      readonly setup: TrainingSetup;
      /** Undefined: it trains. */
      readonly replay?: ReplaySetup;
    }
  | ({ readonly kind: "batch" } & Batch)
  | { readonly kind: "save" }
  | { readonly kind: "stop"; readonly at: StopPlace };

/** Times in milliseconds; the four parts add up to the total. */
export interface StepTimes {
  readonly dataMs: number;
  readonly forwardBackwardMs: number;
  readonly optimizerMs: number;
  readonly otherMs: number;
  readonly totalMs: number;
}

/** The numbers of one micro-step. */
export interface Step {
  /** When it ended, in milliseconds since 1970. */
  readonly endTimeMs: number;
  readonly microStep: number;
  readonly optimizerStep: number;
  readonly epoch: number;
  /** Sum over `lossTokens` targets. */
  readonly lossNats: number;
  readonly lossTokens: number;
  readonly rows: number;
  readonly learningRate: number;
  /** Of the optimizer step that this micro-step ends, if it does. */
  readonly update: { readonly gradientNorm: number; readonly clipScale: number } | undefined;
  readonly tokensSeen: number;
  /** Real tokens, and positions computed. */
  readonly tokens: number;
  readonly positions: number;
  readonly times: StepTimes;
  readonly memory: Memory | undefined;
}

export interface Memory {
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** Of the variables on the device. */
  readonly tensorBytes: number;
  readonly tensors: number;
}

/** The numbers of a micro-step that was computed again. */
export type ReplayedStep = Omit<Step, "endTimeMs" | "times" | "memory">;

/** A row of a batch, looked at alone. */
export interface ExaminedRow {
  /** Its place in the batch, from 0. */
  readonly place: number;
  /** Without markers. */
  readonly text: string;
  /** Sum over `lossTokens` targets. */
  readonly lossNats: number;
  readonly lossTokens: number;
  /** Of its mean loss alone; of detailed rows. */
  readonly gradientNorm: number | undefined;
  /** Each target; of detailed rows. */
  readonly targets: readonly ExaminedTarget[];
}

export interface ExaminedTarget {
  readonly token: number;
  /** What it completes: a character that is spread over several tokens stands with the last of them. */
  readonly text: string;
  readonly nats: number;
}

export type FaultReason = "NOT_FINITE" | "OUT_OF_RESOURCES" | "DATA_LOSS";

export type FromChild =
  | { readonly kind: "environment"; readonly description: TensorFlowDescription }
  | { readonly kind: "ready"; readonly parameters: number; readonly microStep: number; readonly cursor: Cursor }
  | ({ readonly kind: "step" } & Step)
  | {
      readonly kind: "checkpoint";
      readonly parts: readonly StoredPart[];
      readonly state: CheckpointState;
      readonly writeSeconds: number;
      readonly pauseSeconds: number;
    }
  | { readonly kind: "writing" }
  | { readonly kind: "examined"; readonly rows: readonly ExaminedRow[] }
  | ({ readonly kind: "replayed" } & ReplayedStep)
  | { readonly kind: "save_due" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: FaultReason; readonly message: string };
