/**
 * Keeps what the broker has until the ledger has it too. The broker's disk may be put back to an older state, or its streams be
 * deleted: what it acknowledged is gone then, and the spool is the only place that still knows it. The ledger is asked which of
 * the oldest kept events it lacks; what it has is dropped, what it has lacked for long is published again. A ledger that is away
 * is asked again: nobody waits for it, and the spool's limit bounds what is kept for it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { messageOf, PretrainError } from "@pretrain/errors";
import { type Broker, questions } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { MissingEventsRequestSchema } from "@pretrain/proto";
import type { Spool, SpoolRecord } from "@pretrain/spool";
import { readSpooled, type SpooledEvent } from "./spooled-event.ts";

export interface ConfirmationPace {
  /** Between two questions while something is kept. */
  readonly askEveryMs: number;
  /** How long the ledger may lack what the broker has before it is published again; doubled each time. */
  readonly patienceMs: number;
}

/** Within two minutes the broker itself drops a repetition of what it still has, so an early one costs nothing. */
export const confirmationPace: ConfirmationPace = { askEveryMs: 1_000, patienceMs: 3_000 };

const askedAtOnce = 512;
const longestSilenceMs = 30_000;
const longestPatienceMs = 10 * 60_000;
/** More than an hour of publishing again: the ledger refuses the event, whatever it is. */
const repetitionsLimit = 10;

interface Lacked {
  dueMs: number;
  repetitions: number;
}

interface Kept extends SpooledEvent {
  readonly sequence: number;
}

export class LedgerConfirmation implements AsyncDisposable {
  readonly #spool: Spool;
  readonly #broker: Pick<Broker, "publish" | "ask">;
  readonly #log: Log;
  readonly #pace: ConfirmationPace;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** By sequence: what the ledger said that it lacks. */
  readonly #lacked = new Map<number, Lacked>();
  #sent = Promise.withResolvers<void>();

  constructor(spool: Spool, broker: Pick<Broker, "publish" | "ask">, log: Log, pace: ConfirmationPace) {
    this.#spool = spool;
    this.#broker = broker;
    this.#log = log;
    this.#pace = pace;
    this.#running = this.#run();
  }

  /** The broker has taken something. */
  wake(): void {
    this.#sent.resolve();
  }

  /** Before it ends, it publishes again what the ledger lacks: the next worker may begin much later. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#running;
    if (this.#lacked.size === 0) return;
    for (const lacked of this.#lacked.values()) lacked.dueMs = 0;
    await this.#round();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = this.#pace.askEveryMs;
    while (!signal.aborted) {
      if (this.#spool.kept === 0) {
        await this.#sent.promise;
        this.#sent = Promise.withResolvers();
      }
      const isAnswered = await this.#round();
      waitMs = isAnswered ? this.#pace.askEveryMs : Math.min(longestSilenceMs, 2 * waitMs);
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns false when nobody answered */
  async #round(): Promise<boolean> {
    const kept = this.#spool.toConfirm(askedAtOnce).flatMap((record) => this.#readable(record));
    if (kept.length === 0) return true;
    const missing = await this.#missingOf(kept);
    if (missing === undefined) return false;
    const lacked = kept.filter(({ kind, message }) => missing.has(kind.messageId(message)));
    for (const event of lacked) await this.#publishAgain(event);
    this.#confirmBefore(lacked.find(({ sequence }) => this.#lacked.has(sequence))?.sequence, kept);
    return true;
  }

  async #missingOf(kept: readonly Kept[]): Promise<ReadonlySet<string> | undefined> {
    const messageIds = kept.map(({ kind, message }) => kind.messageId(message));
    try {
      const request = create(MissingEventsRequestSchema, { messageIds });
      return new Set((await this.#broker.ask(questions.missingEvents, request)).missing);
    } catch (error) {
      if (error instanceof PretrainError) return undefined;
      throw error;
    }
  }

  /** The ledger's own lag is not a loss: only what it has lacked for long is published again. */
  async #publishAgain({ sequence, kind, message }: Kept): Promise<void> {
    const nowMs = performance.now();
    const lacked = this.#lacked.get(sequence) ?? { dueMs: nowMs + this.#pace.patienceMs, repetitions: 0 };
    this.#lacked.set(sequence, lacked);
    if (nowMs < lacked.dueMs) return;
    if (lacked.repetitions >= repetitionsLimit) return this.#giveUp(sequence, kind.messageId(message));
    try {
      await this.#broker.publish(kind, message);
      lacked.repetitions += 1;
      lacked.dueMs = nowMs + Math.min(longestPatienceMs, this.#pace.patienceMs * 2 ** lacked.repetitions);
      this.#log.warn(
        { event: kind.messageId(message) },
        "the ledger lacks an event that the broker had; published again",
      );
    } catch (error) {
      this.#log.debug({ sequence, reason: messageOf(error) }, "publishing again is tried again");
    }
  }

  #giveUp(sequence: number, event: string): void {
    this.#lacked.delete(sequence);
    this.#log.error({ event }, "the ledger does not take an event; it is not kept for it any longer");
  }

  /** @param lacking sequence of the first that the ledger lacks; undefined: it has all of them */
  #confirmBefore(lacking: number | undefined, asked: readonly Kept[]): void {
    const last = lacking === undefined ? asked.at(-1)?.sequence : lacking - 1;
    if (last === undefined) return;
    this.#spool.confirm(last);
    for (const sequence of this.#lacked.keys()) if (sequence <= last) this.#lacked.delete(sequence);
  }

  /** What cannot be read could not be sent either, and is not asked for. */
  #readable({ sequence, bytes }: SpoolRecord): Kept[] {
    try {
      return [{ sequence, ...readSpooled(bytes) }];
    } catch {
      return [];
    }
  }
}
