/**
 * The way of an attempt's events to the broker: first to the disk, then to the broker, dropped from the disk when the ledger
 * has them on its own. Training waits for the disk alone. What a dead worker left behind is sent by the next one.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { messageOf, PretrainError, Unavailable } from "@pretrain/errors";
import type { Broker, EventKind, KindName } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import type { Spool, SpoolRecord } from "@pretrain/spool";
import { type ConfirmationPace, confirmationPace, LedgerConfirmation } from "./ledger-confirmation.ts";
import { readSpooled, spooled } from "./spooled-event.ts";

const batchRecords = 64;
/** Room for the events of one step, whatever they are. */
const roomBytes = 4 * 1024 * 1024;
const firstBackoffMs = 250;
const longestBackoffMs = 5_000;

export class Outbox implements AsyncDisposable {
  readonly #spool: Spool;
  readonly #broker: Pick<Broker, "publish" | "ask">;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #confirmation: LedgerConfirmation;
  readonly #pumping: Promise<void>;
  #filled = Promise.withResolvers<void>();
  #emptied = Promise.withResolvers<void>();
  /** Sequences of the spool: the last event that was put, and the last that the broker has, as far as this process has seen. */
  #lastPut = 0;
  #lastSent = 0;

  constructor(
    spool: Spool,
    broker: Pick<Broker, "publish" | "ask">,
    log: Log,
    pace: ConfirmationPace = confirmationPace,
  ) {
    this.#spool = spool;
    this.#broker = broker;
    this.#log = log;
    this.#confirmation = new LedgerConfirmation(spool, broker, log, pace);
    this.#pumping = this.#pump();
  }

  /** Takes the event. When it returns, the death of this process cannot lose it. @throws ResourceExhausted as the spool does */
  put<Schema extends DescMessage>(kind: EventKind<KindName, Schema>, message: MessageShape<Schema>): void {
    this.#lastPut = this.#spool.append(spooled(kind, message));
    this.#filled.resolve();
  }

  /** Events that the broker has and the ledger has not confirmed. */
  get kept(): number {
    return this.#spool.kept;
  }

  /** True when the disk failed: nothing can be put any more by this process, and the next one begins with a whole spool. */
  get isUnusable(): boolean {
    return this.#spool.isUnusable;
  }

  /** When it returns, a power cut cannot lose what was put before. */
  flush(): Promise<void> {
    return this.#spool.flush();
  }

  /** Resolves when everything that was put has been published. Rejects with `signal`. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.#spool.length > 0) await this.#progress(signal);
  }

  /** Resolves when the broker has acknowledged what was put before this call, whatever is put meanwhile. Rejects with `signal`. */
  async acknowledged(signal: AbortSignal): Promise<void> {
    const last = this.#lastPut;
    while (this.#lastSent < last) await this.#progress(signal);
  }

  /** Resolves when there is room for a step's events: at once, unless the broker has been away for very long. */
  async roomy(signal: AbortSignal): Promise<void> {
    while (this.#spool.freeBytes < roomBytes) await this.#progress(signal);
  }

  /** Publishes for `graceMs` at most what is left, and stops; the rest stays on the disk. */
  async close(graceMs: number): Promise<void> {
    await this.drained(AbortSignal.timeout(graceMs)).catch(() => undefined); // what is left is sent by the next worker
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#filled.resolve();
    await this.#pumping;
    await this.#confirmation[Symbol.asyncDispose]();
    this.#spool[Symbol.dispose]();
  }

  /** Until the broker has taken something. */
  async #progress(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#emptied.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #pump(): Promise<void> {
    let backoffMs = firstBackoffMs;
    while (!this.#stopping.signal.aborted) {
      const records = this.#spool.toSend(batchRecords);
      if (records.length === 0) {
        await this.#filled.promise;
        this.#filled = Promise.withResolvers();
        continue;
      }
      const published = await this.#publishAll(records);
      if (published > 0) this.#markSent(records[published - 1]);
      if (published === records.length) backoffMs = firstBackoffMs;
      else {
        await pause(backoffMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        backoffMs = Math.min(longestBackoffMs, 2 * backoffMs);
      }
    }
  }

  #markSent(last: SpoolRecord | undefined): void {
    if (last !== undefined) {
      this.#spool.markSent(last.sequence);
      this.#lastSent = last.sequence;
    }
    this.#confirmation.wake();
    const { resolve } = this.#emptied;
    this.#emptied = Promise.withResolvers();
    resolve();
  }

  /** All at once, since the connection keeps their order. @returns how many from the front the broker has */
  async #publishAll(records: readonly SpoolRecord[]): Promise<number> {
    const outcomes = await Promise.all(records.map((record) => this.#publish(record)));
    const missing = outcomes.indexOf(false);
    return missing === -1 ? records.length : missing;
  }

  /** False when it must be sent again. */
  async #publish({ bytes, sequence }: SpoolRecord): Promise<boolean> {
    try {
      const { kind, message } = readSpooled(bytes);
      await this.#broker.publish(kind, message);
      return true;
    } catch (error) {
      if (error instanceof Unavailable) return false; // the connection's own log says why
      if (error instanceof PretrainError) {
        this.#log.warn({ sequence, reason: messageOf(error) }, "the broker refuses an event; it is sent again");
        return false;
      }
      // An event that cannot even be read would stand in the way of all others for ever.
      this.#log.error({ sequence, err: error }, "an event of the spool cannot be published and is dropped");
      return true;
    }
  }
}
