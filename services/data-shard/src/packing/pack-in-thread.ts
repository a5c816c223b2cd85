/** Runs `pack` in a thread of its own and waits for it. */
import { Worker } from "node:worker_threads";
import type { Completion } from "../dataset/dataset-changes.ts";
import type { PackJob } from "./pack-job.ts";

export interface ThreadInput {
  readonly job: PackJob;
  /** Address of the blob store: a store itself cannot cross to the thread. */
  readonly blobs: string;
}

export type ThreadMessage =
  | { readonly kind: "progress"; readonly bytesRead: number }
  | { readonly kind: "packed"; readonly result: Completion }
  /** The data are at fault; the message is for a person. */
  | { readonly kind: "refused"; readonly message: string }
  /** The store has no room or does not answer: nothing is wrong with the data, it can be tried again. */
  | { readonly kind: "postponed"; readonly message: string };

export type PackOutcome = Exclude<ThreadMessage, { kind: "progress" }>;

/**
 * @param signal ends the thread at once; what it wrote is no dataset and is written again by the next attempt
 * @throws the reason of `signal`, or the defect that the thread died of
 */
export async function packInThread(
  input: ThreadInput,
  { onProgress, signal }: { readonly onProgress: (bytesRead: number) => void; readonly signal: AbortSignal },
): Promise<PackOutcome> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./pack-thread.ts", import.meta.url), { workerData: input });
  const outcome = Promise.withResolvers<PackOutcome>();
  worker.on("message", (message: ThreadMessage) => {
    if (message.kind === "progress") onProgress(message.bytesRead);
    else outcome.resolve(message);
  });
  worker.once("error", outcome.reject);
  worker.once("exit", (code) => outcome.reject(new Error(`the packing thread ended with code ${code} and no result`)));
  const onAbort = () => outcome.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await outcome.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
