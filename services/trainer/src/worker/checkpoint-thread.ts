/** The thread that writes checkpoints: it reads the memory that it was given when it began, and nothing else of its process. */
import { readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { openBlobs } from "@pretrain/blobs";
import {
  type CheckpointContent,
  type CheckpointState,
  type StoredPart,
  writeCheckpointParts,
} from "@pretrain/checkpoint";
import type { StoredTensor } from "@pretrain/safetensors";
import { faultOf } from "./faults.ts";
import type { FaultReason } from "./protocol.ts";

export interface ThreadData extends Pick<CheckpointContent, "model" | "optimizer"> {
  /** Address of the store. */
  readonly blobs: string;
}

/** `ready`, once; then one answer to each state that it is sent. */
export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "written"; readonly parts: readonly StoredPart[]; readonly seconds: number }
  | { readonly kind: "failed"; readonly reason: FaultReason; readonly message: string };

const { blobs: address, model, optimizer } = workerData as ThreadData;
const blobs = openBlobs(address);

yieldToTraining();
touch([...model.values(), ...optimizer.values()]);
say({ kind: "ready" });
parentPort?.on("message", (state: CheckpointState) => void write(state));

async function write(state: CheckpointState): Promise<void> {
  const began = performance.now();
  try {
    const parts = await writeCheckpointParts(blobs, { model, optimizer, state });
    say({ kind: "written", parts, seconds: (performance.now() - began) / 1000 });
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error; // ends this thread, and the process hears why
    say({ kind: "failed", ...fault });
  }
}

function say(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** The system hands out pages of memory when they are first written to, and that takes longer than to fill them again. */
function touch(tensors: readonly StoredTensor[]): void {
  for (const { data } of tensors) new Uint8Array(data.buffer, data.byteOffset, data.byteLength).fill(0);
}

/** Digests take a processor for a second; whoever computes comes first. On Linux a thread is found by its own id, and has its own priority. */
function yieldToTraining(): void {
  const threadId = Number(basename(readlinkSync("/proc/thread-self")));
  setPriority(threadId, constants.priority.PRIORITY_LOW);
}
