/** Who wants an attempt to stop, and how. Of several wishes the strongest counts, of equally strong ones the first. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { experimentOf } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

/**
 * `finish`: its evaluations have stopped improving, and it completes where it is. `pause`: a user wants it to wait. `preempt`: a more urgent experiment wants this worker. `shutdown`: this worker is to end; another
 * goes on. `abandon`: it is to end now, whatever is being computed. `cancel`: a user asked for the end. `fenced`: another attempt holds
 * the experiment, so this one must not write another word.
 */
export type Wish = "finish" | "pause" | "preempt" | "shutdown" | "abandon" | "cancel" | "fenced";

const strength: Readonly<Record<Wish, number>> = {
  finish: 0,
  pause: 1,
  preempt: 1,
  shutdown: 1,
  cancel: 2,
  abandon: 3,
  fenced: 4,
};

export class Wishes {
  readonly #abort = new AbortController();
  readonly #listeners: ((wish: Wish) => void)[] = [];
  #wish: Wish | undefined;

  /** Aborted at the first wish to leave the work to another attempt, or to nobody: not by `finish`, which has an end to write. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get wish(): Wish | undefined {
    return this.#wish;
  }

  make(wish: Wish): void {
    if (this.#wish !== undefined && strength[wish] <= strength[this.#wish]) return;
    this.#wish = wish;
    if (wish !== "finish") this.#abort.abort(new Error(`the attempt is to stop: ${wish}`));
    for (const hear of this.#listeners) hear(wish);
  }

  /** Tells of each wish that counts, also of one that was made before. */
  onWish(hear: (wish: Wish) => void): void {
    this.#listeners.push(hear);
    if (this.#wish !== undefined) hear(this.#wish);
  }
}

const retryMs = 2_000;

/** Turns changes of the record into wishes, until `signal`. A broker that is away is asked again. */
export async function watchRecord(
  { experiments, log }: { readonly experiments: Experiments; readonly log: Log },
  { id, attempt }: { readonly id: string; readonly attempt: number },
  wishes: Wishes,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { value } of experiments.watch(id, signal)) {
        const experiment = experimentOf(value);
        if (experiment.attempt !== attempt) wishes.make("fenced");
        else if (experiment.cancelRequested) wishes.make("cancel");
        else if (experiment.pauseRequested) wishes.make("pause");
        else if (experiment.earlyStop !== undefined) wishes.make("finish");
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "watching the record is tried again");
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
