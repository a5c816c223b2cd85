/** Looks through all records now and then for what a crash left undone: a piece not enqueued, an end not announced, a correction not told. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { dutyOf } from "../evaluation/unfinished.ts";
import { discharge, type Offices } from "./duties.ts";
import type { StoredEvaluation } from "./evaluation-records.ts";

export interface SweepOptions extends Offices {
  readonly everyMs: number;
  /** Hears what was found, before anything is done about it. */
  readonly onSwept: (found: readonly StoredEvaluation[]) => void;
  readonly log: Log;
}

/** Sweeps at once and then again and again. Disposing ends it. */
export function sweepRecords(options: SweepOptions): AsyncDisposable {
  const stopping = new AbortController();
  const done = sweepUntil(options, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await done;
    },
  };
}

async function sweepUntil(options: SweepOptions, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      await sweep(options, stopping);
    } catch (error) {
      options.log.warn({ reason: messageOf(error) }, "sweeping the records is tried again");
    }
    await pause(options.everyMs, undefined, { signal: stopping }).catch(() => undefined); // aborted: the loop ends
  }
}

async function sweep({ records, broker, onSwept, log }: SweepOptions, stopping: AbortSignal): Promise<void> {
  const found = await records.list();
  onSwept(found);
  for (const stored of found) {
    const duty = dutyOf(stored.value);
    if (duty === undefined || stopping.aborted) continue;
    log.info({ evaluation: stored.key, duty }, "left undone, done now");
    await discharge({ records, broker }, stored);
  }
}
