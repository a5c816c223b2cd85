/**
 * The trainer's computing process, started and spoken to as the trainer does it. A service's code is not imported: of its protocol
 * (services/trainer/src/worker/protocol.ts) this knows as much as the bench looks at.
 */
import { constants, setPriority } from "node:os";
import type { CheckpointState, SealedCheckpoint, StoredPart } from "@pretrain/checkpoint";
import { tensorflowEnvironment } from "@pretrain/tensorflow-native/environment";
import { kinds, startChild } from "@pretrain/worker-process";
import { hashedTokens, shapeOf } from "./contenders/hashed.ts";
import { lossRule, optimizerSettings } from "./contenders/steps.ts";
import type { Config } from "./protocol.ts";

export interface ChildStep {
  readonly microStep: number;
  readonly lossNats: number;
  readonly update: { readonly gradientNorm: number } | undefined;
  readonly times: { readonly totalMs: number };
}

export interface ChildCheckpoint {
  readonly state: CheckpointState;
  readonly parts: readonly StoredPart[];
  readonly writeSeconds: number;
  readonly pauseSeconds: number;
}

type Said =
  | { readonly kind: "environment" | "ready" | "save_due" | "writing" | "stopped" }
  | { readonly kind: "failed"; readonly message: string }
  | ({ readonly kind: "step" } & ChildStep)
  | ({ readonly kind: "checkpoint" } & ChildCheckpoint);

/** One life of the process. */
export interface ChildRun {
  readonly steps: readonly ChildStep[];
  readonly checkpoints: readonly ChildCheckpoint[];
  /** From its start until it can compute: TensorFlow loaded, weights made or read. */
  readonly readySeconds: number;
  /** From its start to the end of its first step. */
  readonly firstStepSeconds: number;
}

export interface ChildOptions {
  readonly config: Config;
  /** Address of the store. */
  readonly blobs: string;
  /** Where traced functions are kept. */
  readonly programs: string;
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly saveInterval: number;
  readonly resume: SealedCheckpoint | undefined;
}

const module = new URL("../../services/trainer/src/worker/main.ts", import.meta.url);

/** Trains to the end. @throws Error with the reason when the process fails, or ends before */
export async function runChild(options: ChildOptions): Promise<ChildRun> {
  const began = performance.now();
  const secondsSoFar = () => (performance.now() - began) / 1000;
  const steps: ChildStep[] = [];
  const checkpoints: ChildCheckpoint[] = [];
  let [readySeconds, firstStepSeconds] = [Number.NaN, Number.NaN];
  let failure: string | undefined;
  await using child = await startChild<{ readonly kind: string }, Said>({
    module,
    environment: { ...process.env, ...tensorflowEnvironment({ threads: options.config.threads }) },
    receives: kinds<Said>({
      environment: true,
      ready: true,
      step: true,
      save_due: true,
      checkpoint: true,
      writing: true,
      stopped: true,
      failed: true,
    }),
    onMessage: (message) => {
      if (message.kind === "ready") readySeconds = secondsSoFar();
      if (message.kind === "checkpoint") checkpoints.push(message);
      if (message.kind === "failed") failure = message.message;
      if (message.kind === "save_due") void child.send({ kind: "save" });
      if (message.kind !== "step") return;
      if (steps.length === 0) firstStepSeconds = secondsSoFar();
      steps.push(message);
    },
  });
  setPriority(child.processId, constants.priority.PRIORITY_BELOW_NORMAL); // as the trainer does
  const { blobs, programs } = options;
  await child.send(Object.assign({ kind: "prepare" }, { blobs, programs, setup: setupOf(options) }));
  for (const batch of batchesOf(options)) await child.send(Object.assign({ kind: "batch" }, batch));
  const { code, signal, stderrTail } = await child.exited;
  if (code === 0 && failure === undefined) return { steps, checkpoints, readySeconds, firstStepSeconds };
  throw new Error(failure ?? `the computing process ended with ${signal ?? `code ${code}`}: ${stderrTail}`);
}

function setupOf({ config, steps, saveInterval, resume }: ChildOptions) {
  return {
    experiment: "bench",
    attempt: (resume?.manifest.attempt ?? 0) + 1,
    attemptNonce: "bench",
    recipeSha256: "a".repeat(64),
    dataset: "hashed",
    datasetSha256: "b".repeat(64),
    shape: shapeOf(config),
    plan: { epochs: 1, microStepsPerEpoch: steps, accumulationSteps: 1, lastAccumulation: "carry" },
    lossRule,
    schedule: { kind: "cosine_to_zero", peak: config.training.learning_rate, warmupSteps: 0, totalSteps: steps },
    optimizer: optimizerSettings(config.training),
    seed: 1,
    saveInterval,
    deviceBatchRows: config.rows_at_once,
    precision: config.precision,
    memoryInterval: steps + 1,
    exactness: {},
    resume,
  };
}

function* batchesOf({ config, steps, resume }: ChildOptions) {
  const { rows, sequence, model } = config;
  const count = rows * sequence;
  const lengths = new Int32Array(rows).fill(sequence);
  for (let microStep = (resume?.manifest.microStep ?? 0) + 1; microStep <= steps; microStep += 1) {
    const tokens = Uint16Array.from(hashedTokens((microStep - 1) * count, count, model.vocab_size));
    yield { microStep, epoch: 1, tokens, lengths, next: { epoch: 1, row: microStep * rows } };
  }
}
