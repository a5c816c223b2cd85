/**
 * The thread that packs one dataset and ends. Packing computes for minutes where the files are large, and learning a
 * vocabulary for seconds without a pause; in its own thread it keeps no call waiting.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openBlobs } from "@pretrain/blobs";
import { messageOf, PretrainError, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { pack } from "./pack.ts";
import type { ThreadInput, ThreadMessage } from "./pack-in-thread.ts";

const { job, blobs }: ThreadInput = workerData;
const send = (message: ThreadMessage) => parentPort?.postMessage(message);

try {
  let lastMs = 0;
  const result = await pack(job, openBlobs(blobs), (bytesRead) => {
    if (performance.now() - lastMs < 100) return; // a progress bar needs no more
    lastMs = performance.now();
    send({ kind: "progress", bytesRead });
  });
  send({ kind: "packed", result });
} catch (error) {
  if (!(error instanceof PretrainError)) throw error; // a defect: the service logs it with its stack
  const isOfStore = error instanceof ResourceExhausted || error instanceof Unavailable;
  send({ kind: isOfStore ? "postponed" : "refused", message: messageOf(error) });
}
