/**
 * Takes up what another process of the service left when it ended: a dataset that waits, or is being packed, and of which nothing has been
 * heard for so long. Whoever packs one touches its record every few seconds; whoever has many waiting gets help by this.
 */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { Dataset_State } from "@pretrain/proto";
import type { DatasetRecords } from "../stores/dataset-records.ts";
import { type PackingQueue, signOfLifeMs } from "./packing-queue.ts";

export interface TakingUp {
  readonly records: Pick<DatasetRecords, "all">;
  readonly queue: Pick<PackingQueue, "enqueue" | "has">;
  readonly log: Log;
  /** Between two looks. */
  readonly lookEveryMs?: number;
  /** How long nothing must have been heard of a dataset; five signs of life if not given. */
  readonly silenceMs?: number;
}

interface Heard {
  readonly revision: number;
  /** By this process's monotonic clock. */
  readonly sinceMs: number;
}

/** Looks until disposed. */
export function keepTakingUp(options: TakingUp): AsyncDisposable {
  const stopping = new AbortController();
  const looking = run(options, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await looking;
    },
  };
}

async function run(options: TakingUp, signal: AbortSignal): Promise<void> {
  const { lookEveryMs = signOfLifeMs, log } = options;
  let heard: ReadonlyMap<string, Heard> = new Map();
  while (!signal.aborted) {
    try {
      heard = await look(options, heard, performance.now());
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "looking for datasets that others left is tried again");
    }
    await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns when each unfinished dataset was heard of last */
async function look(
  { records, queue, log, silenceMs = 5 * signOfLifeMs }: TakingUp,
  before: ReadonlyMap<string, Heard>,
  nowMs: number,
): Promise<ReadonlyMap<string, Heard>> {
  const heard = new Map<string, Heard>();
  for (const { record, revision } of await records.all()) {
    const { name, state } = record.dataset;
    if (state !== Dataset_State.PENDING && state !== Dataset_State.PACKING) continue;
    const last = before.get(name);
    const now = last?.revision === revision ? last : { revision, sinceMs: nowMs };
    heard.set(name, now);
    if (queue.has(name) || nowMs - now.sinceMs < silenceMs) continue;
    log.info({ dataset: name }, "nothing is heard of a dataset that another process was to pack; it is taken up here");
    queue.enqueue(name, state === Dataset_State.PACKING ? "PACKING" : "PENDING");
  }
  return heard;
}
