/** A thread that asks twice a second whether the parent process is still there: an orphan is given to another one. */
import { setInterval as every, setTimeout as pause } from "node:timers/promises";
import { workerData } from "node:worker_threads";

const { parent, graceMs } = workerData as { readonly parent: number; readonly graceMs: number };

for await (const _ of every(500)) {
  if (process.ppid !== parent) break;
}
await pause(graceMs);
process.kill(process.pid, "SIGKILL");
