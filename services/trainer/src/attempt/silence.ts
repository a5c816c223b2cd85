/**
 * When a process that says nothing is taken for hung. How long a step may take nobody knows: a large model or a busy machine makes it
 * long. But who computes uses a processor, and a process that is stopped or waits for itself does not:
 *
 *     said something     restingMs                       busyMs
 *     ─────┼─────────────────┼──────────────────────────────┼─────▶
 *          │  all is well    │  hung, if it has used no      │ hung
 *          │                 │  processor for ten seconds    │
 */
export interface Patience {
  /** With a process that uses no processor. */
  readonly restingMs: number;
  /** With any. */
  readonly busyMs: number;
}

const restMs = 10_000;
/** A process that waits still has a thread that looks twice a second for its parent: 2 ms in ten seconds. */
const restUsesMs = 30;

/** One silence, from one message to the next. Knows no clock: it is told what was waited, and what the process used meanwhile. */
export class Silence {
  #silentMs = 0;
  #restedMs = 0;
  #usedWhenRestBeganMs: number | undefined;

  /** @param usedMs processor time of the process since its beginning; undefined where the system does not tell */
  constructor(usedMs: number | undefined) {
    this.#usedWhenRestBeganMs = usedMs;
  }

  get seconds(): number {
    return Math.round(this.#silentMs / 1000);
  }

  /** @param waitedMs since it was asked last   @param usedMs as in the constructor */
  isHang(waitedMs: number, usedMs: number | undefined, { restingMs, busyMs }: Patience): boolean {
    this.#silentMs += waitedMs;
    this.#restedMs += waitedMs;
    if (usedMs === undefined || usedMs - (this.#usedWhenRestBeganMs ?? 0) > restUsesMs) {
      this.#restedMs = 0;
      this.#usedWhenRestBeganMs = usedMs;
    }
    return this.#silentMs >= busyMs || (this.#silentMs >= restingMs && this.#restedMs >= restMs);
  }
}
