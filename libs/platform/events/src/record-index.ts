/**
 * A few facts of every record of a bucket, kept in this process by following the bucket. An index can be lost at any time:
 * it is made anew from the bucket. What can happen to it, and what is done:
 *
 *     connection lost, server restarted     everything is read again: the server may stand on an older disk
 *     bucket deleted and made anew          another creation time, seen within two seconds: everything is read again
 *     a change that never came              revisions that the bucket has and we have not, at two looks: the same
 */
import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import { DataLoss, messageOf, Unavailable } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import { decoded } from "./payload.ts";
import type { Recorded } from "./records.ts";
import type { BucketName } from "./topology.ts";

export interface RecordIndex<Facts> extends AsyncDisposable {
  /** How often the bucket has been read from its beginning: another number, and it may be another bucket. */
  readonly readings: number;
  /**
   * Facts of all records, by key: none older than what the bucket held when this was called, whoever wrote it.
   *
   * @throws Unavailable when the broker does not answer, or the index does not catch up with it within ten seconds
   */
  current(): Promise<ReadonlyMap<string, Facts>>;
  /** Yields at once and whenever the record may have changed; several changes may be one. Ends with `signal`. */
  changes(key: string, signal: AbortSignal): AsyncIterable<void>;
}

interface Position {
  /** When the bucket was made, as the server writes it: another bucket of this name has another one. */
  readonly created: string;
  /** Of the last change. */
  readonly revision: number;
  readonly isEmpty: boolean;
}

/** What one reading of the bucket from its beginning has found so far. */
interface Reading<Facts> {
  readonly created: string;
  readonly facts: Map<string, Facts>;
  /** Everything up to here is in `facts`; 0 while the first pass goes on. */
  revision: number;
}

const lookEveryMs = 2000;
const catchUpMs = 10_000;
const firstRetryMs = 250;
const longestRetryMs = 5000;
const messagesAhead = 128;

/** @param factsOf what is kept of a record; keep it small */
export function followRecords<Schema extends DescMessage, Facts>(
  connection: Connection,
  bucket: BucketName,
  schema: Schema,
  factsOf: (recorded: Recorded<MessageShape<Schema>>) => Facts,
): RecordIndex<Facts> {
  return new FollowedRecords(connection, bucket, (key, message) =>
    factsOf({ key, value: decoded(schema, message.data), revision: message.seq }),
  );
}

class FollowedRecords<Facts> implements RecordIndex<Facts> {
  readonly #connection: Connection;
  readonly #bucket: BucketName;
  readonly #read: (key: string, message: JsMsg) => Facts;
  readonly #stopping = new AbortController();
  readonly #following: Promise<void>;
  readonly #listeners = new Map<string, Set<() => void>>();
  #reading: Reading<Facts> | undefined;
  #readings = 0;
  #stopReading: () => void = () => undefined;
  #moved = Promise.withResolvers<void>();

  constructor(connection: Connection, bucket: BucketName, read: (key: string, message: JsMsg) => Facts) {
    this.#connection = connection;
    this.#bucket = bucket;
    this.#read = read;
    this.#following = this.#follow();
    void this.#hearReconnects();
  }

  get readings(): number {
    return this.#readings;
  }

  async current(): Promise<ReadonlyMap<string, Facts>> {
    const wanted = await this.#position();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), catchUpMs);
    try {
      for (;;) {
        const moved = this.#moved.promise; // before looking: what moves meanwhile is not slept over
        const reading = this.#reading;
        if (reading?.created === wanted.created && reading.revision >= wanted.revision) return reading.facts;
        late.signal.throwIfAborted();
        await Promise.race([moved, aborted(late.signal)]);
      }
    } catch (error) {
      if (!late.signal.aborted) throw error;
      const message = `${this.#bucket}: the index is behind the bucket; try again`;
      throw new Unavailable("INDEX_BEHIND", message, { bucket: this.#bucket });
    } finally {
      clearTimeout(timer);
    }
  }

  async *changes(key: string, signal: AbortSignal): AsyncGenerator<void> {
    let bell = Promise.withResolvers<void>();
    const ring = () => bell.resolve();
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(ring));
    signal.addEventListener("abort", ring, { once: true });
    try {
      while (!signal.aborted) {
        bell = Promise.withResolvers();
        yield;
        await bell.promise;
      }
    } finally {
      signal.removeEventListener("abort", ring);
      listeners.delete(ring);
      if (listeners.size === 0) this.#listeners.delete(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  /** Ends with the connection. */
  async #hearReconnects(): Promise<void> {
    for await (const { type } of this.#connection.nats.status()) {
      if (type !== "reconnect") continue;
      this.#reading = undefined;
      this.#stopReading();
    }
  }

  async #position(): Promise<Position> {
    try {
      const { created, state } = await this.#connection.manager.streams.info(`KV_${this.#bucket}`);
      return { created, revision: state.last_seq, isEmpty: state.messages === 0 };
    } catch (error) {
      const message = `${this.#bucket}: no answer from the broker (${messageOf(error)}); try again`;
      throw new Unavailable("BROKER_SILENT", message, { bucket: this.#bucket }, { cause: error });
    }
  }

  /** One reading after the other; whatever ends one, the next one begins at the bucket's beginning. */
  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const before = this.#reading;
      try {
        await this.#readOn(await this.#position());
      } catch (error) {
        const facts = { bucket: this.#bucket, reason: messageOf(error) };
        if (!signal.aborted) this.#connection.log.warn(facts, "reading the bucket is tried again");
      }
      retryMs = this.#reading === before ? Math.min(longestRetryMs, 2 * retryMs) : firstRetryMs;
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Reads all records, then each change, until the bucket turns out not to be the one that was read. */
  async #readOn({ created, revision, isEmpty }: Position): Promise<void> {
    const { jetstream } = this.#connection;
    const reading: Reading<Facts> = { created, facts: new Map(), revision: 0 };
    if (isEmpty) this.#caughtUp(reading, revision);
    const consumer = await jetstream.consumers.get(`KV_${this.#bucket}`, {
      filter_subjects: `$KV.${this.#bucket}.>`,
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    const messages = await consumer.consume({ max_messages: messagesAhead });
    const over = new AbortController();
    const stop = () => messages.stop();
    this.#stopReading = stop;
    this.#stopping.signal.addEventListener("abort", stop, { once: true });
    const watching = this.#watch(reading, over.signal).finally(stop);
    try {
      if (this.#stopping.signal.aborted) stop();
      for await (const message of messages) this.#take(reading, message, revision);
    } finally {
      this.#stopping.signal.removeEventListener("abort", stop);
      over.abort();
      await watching;
      await messages.close();
      await consumer.delete().catch(() => undefined); // it is the server's to forget, in a while, if it cannot be told
    }
  }

  #take(reading: Reading<Facts>, message: JsMsg, revisionAtStart: number): void {
    const key = message.subject.slice(`$KV.${this.#bucket}.`.length);
    const operation = message.headers?.get("KV-Operation");
    if (operation === "DEL" || operation === "PURGE") reading.facts.delete(key);
    else this.#keep(reading, key, message);
    if (reading.revision > 0) this.#caughtUp(reading, message.seq);
    else if (message.info.pending === 0) this.#caughtUp(reading, Math.max(revisionAtStart, message.seq));
    for (const ring of this.#listeners.get(key) ?? []) ring();
  }

  #keep(reading: Reading<Facts>, key: string, message: JsMsg): void {
    try {
      reading.facts.set(key, this.#read(key, message));
    } catch (error) {
      if (!(error instanceof DataLoss)) throw error;
      const facts = { bucket: this.#bucket, key, reason: error.message };
      this.#connection.log.error(facts, "a record cannot be read and is left out of the index");
    }
  }

  #caughtUp(reading: Reading<Facts>, revision: number): void {
    const isNew = this.#reading !== reading;
    reading.revision = revision;
    this.#reading = reading;
    const { resolve } = this.#moved;
    this.#moved = Promise.withResolvers();
    resolve();
    if (!isNew) return;
    this.#readings += 1;
    for (const ring of [...this.#listeners.values()].flatMap((each) => [...each])) ring();
  }

  /** Resolves when the bucket is another one, or had changes that never came. */
  async #watch(reading: Reading<Facts>, signal: AbortSignal): Promise<void> {
    let unseen = 0;
    while (!signal.aborted) {
      await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
      const found = signal.aborted ? undefined : await this.#position().catch(() => undefined);
      if (found === undefined) continue; // a broker that is away says nothing about its bucket
      if (found.created !== reading.created || found.revision < reading.revision) return;
      if (unseen > 0 && reading.revision < unseen) return;
      unseen = found.revision > reading.revision ? found.revision : 0;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
