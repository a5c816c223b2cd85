/** Resumes what was paused for want of room when there is room again. No attempt is made in vain, and none is counted as one. */
import { setTimeout as pause } from "node:timers/promises";
import { FailedPrecondition, messageOf } from "@pretrain/errors";
import type { RecordIndex } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { Experiment_Reason as Reason } from "@pretrain/proto";
import type { ExperimentFacts } from "../experiment/experiment-facts.ts";
import { experimentOf } from "../experiment/record.ts";
import { neededBytes, resumeDelayMs, waitsForRoom } from "../experiment/want-of-room.ts";
import type { Experiments } from "./experiments.ts";

export interface Resuming {
  readonly experiments: Experiments;
  readonly index: Pick<RecordIndex<ExperimentFacts>, "current">;
  /** Whether an experiment finds room for so many bytes everywhere where it writes. */
  readonly isRoomFor: (id: string, bytes: number) => Promise<boolean>;
  readonly now: () => Date;
  /** Says that there is work, so that nobody has to look for it. */
  readonly wake: () => void;
  readonly log: Log;
}

const pollMs = 1_000;

export function keepResuming(options: Resuming): AsyncDisposable {
  const stopping = new AbortController();
  const resuming = run(options, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await resuming;
    },
  };
}

async function run(options: Resuming, signal: AbortSignal): Promise<void> {
  const waiting = new Map<string, Next>();
  while (!signal.aborted) {
    try {
      await resumeDue(options, waiting, performance.now());
    } catch (error) {
      options.log.warn({ reason: messageOf(error) }, "resuming what waits for room is tried again");
    }
    await pause(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

interface Next {
  readonly delayMs: number;
  readonly dueMs: number;
}

/** @param waiting when each is tried next, by this process's monotonic clock; kept from call to call   @param nowMs the same clock */
export async function resumeDue(options: Resuming, waiting: Map<string, Next>, nowMs: number): Promise<void> {
  const ids = [...(await options.index.current()).values()].filter((each) => each.waitsForRoom).map(({ key }) => key);
  for (const id of waiting.keys()) if (!ids.includes(id)) waiting.delete(id);
  for (const id of ids) {
    const next = waiting.get(id);
    if (next !== undefined && nowMs < next.dueMs) continue;
    const delayMs = next?.delayMs ?? resumeDelayMs((await options.experiments.get(id)).value);
    waiting.set(id, { delayMs, dueMs: nowMs + delayMs });
    if (next !== undefined) await resumeIfRoom(options, id);
  }
}

async function resumeIfRoom({ experiments, isRoomFor, now, wake, log }: Resuming, id: string): Promise<void> {
  const { value } = await experiments.get(id);
  if (!(await isRoomFor(id, neededBytes(experimentOf(value))))) return;
  const message = "there is room again; waits for a worker";
  const change = { now: now(), reason: Reason.OUT_OF_RESOURCES, message };
  try {
    await experiments.advance(id, "resume", change, (record) => {
      if (waitsForRoom(experimentOf(record))) return;
      throw new FailedPrecondition("NOT_WAITING", `${id} does not wait for room any more`, { experiment: id });
    });
  } catch (error) {
    if (error instanceof FailedPrecondition) return; // its user was faster
    throw error;
  }
  log.info({ experiment: id }, "there is room again; the experiment goes on");
  wake();
}
