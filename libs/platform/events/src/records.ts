/** Records in a bucket of the broker: read, made once, and changed only by who has seen the version before. */

import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { JetStreamApiError } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm } from "@nats-io/kv";
import { Aborted, AlreadyExists, messageOf, Unavailable } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import { decoded, encoded } from "./payload.ts";
import type { BucketName } from "./topology.ts";

export interface Recorded<Value> {
  readonly key: string;
  readonly value: Value;
  /** Grows with every change; the etag of the record. */
  readonly revision: number;
}

export interface Records<Value> {
  get(key: string): Promise<Recorded<Value> | undefined>;
  /** @returns its revision. @throws AlreadyExists when the key is taken. */
  create(key: string, value: Value): Promise<number>;
  /** @returns its new revision. @throws Aborted when somebody changed it since `revision`. */
  update(key: string, value: Value, revision: number): Promise<number>;
  /** All records, in no order. */
  list(): Promise<Recorded<Value>[]>;
  /** The record whenever it changes, and now. A state in between may be passed over. Ends with `signal`. */
  watch(key: string, signal: AbortSignal): AsyncIterable<Recorded<Value>>;
}

/** A change that the watch missed (a server that restarted) is seen by looking again. */
const reconcileMs = 2000;

export async function openRecords<Schema extends DescMessage>(
  { jetstream }: Connection,
  bucket: BucketName,
  schema: Schema,
): Promise<Records<MessageShape<Schema>>> {
  const kv = await new Kvm(jetstream).open(bucket);
  const recorded = (entry: KvEntry) => ({
    key: entry.key,
    value: decoded(schema, entry.value),
    revision: entry.revision,
  });
  const get = async (key: string) => {
    const entry = await answered(bucket, () => kv.get(key));
    return entry === null || entry.operation !== "PUT" ? undefined : recorded(entry);
  };
  return {
    get,
    async create(key, value) {
      return answered(
        bucket,
        () => kv.create(key, encoded(schema, value)),
        () => new AlreadyExists("RECORD_EXISTS", `${bucket}: ${key} is there already`, { bucket, key }),
      );
    },
    async update(key, value, revision) {
      return answered(
        bucket,
        () => kv.update(key, encoded(schema, value), revision),
        () =>
          new Aborted("RECORD_CHANGED", `${bucket}: ${key} was changed by somebody else; read it again`, {
            bucket,
            key,
            revision: String(revision),
          }),
      );
    },
    async list() {
      const keys = await answered(bucket, async () => Array.fromAsync(await kv.keys()));
      const found = await Promise.all(keys.map(get));
      return found.filter((record) => record !== undefined);
    },
    watch: (key, signal) => watch(kv, key, get, signal),
  };
}

async function* watch<Value>(
  kv: KV,
  key: string,
  get: (key: string) => Promise<Recorded<Value> | undefined>,
  signal: AbortSignal,
): AsyncGenerator<Recorded<Value>> {
  const watcher = await kv.watch({ key });
  let bell = Promise.withResolvers<void>();
  const listening = (async () => {
    for await (const _ of watcher) bell.resolve();
  })();
  try {
    for (let seen = 0; !signal.aborted; ) {
      bell = Promise.withResolvers(); // before looking: a change that comes meanwhile is not slept over
      const record = await get(key);
      if (record !== undefined && record.revision > seen) yield record;
      seen = record?.revision ?? seen;
      await rungOrLater(bell.promise, signal);
    }
  } finally {
    watcher.stop();
    await listening;
  }
}

async function rungOrLater(bell: Promise<void>, signal: AbortSignal): Promise<void> {
  const patience = new AbortController();
  const late = pause(reconcileMs, undefined, { signal: AbortSignal.any([signal, patience.signal]) }).catch(() => {});
  await Promise.race([bell, late]);
  patience.abort();
}

/** What the broker answered; a refused write as `refused` says, silence as Unavailable. */
async function answered<Answer>(
  bucket: BucketName,
  ask: () => Promise<Answer>,
  refused?: () => Error,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (refused !== undefined && error instanceof JetStreamApiError && wrongRevision(error.code)) throw refused();
    const message = `${bucket}: no answer from the broker (${messageOf(error)}); try again`;
    throw new Unavailable("BROKER_SILENT", message, { bucket }, { cause: error });
  }
}

/** 10071 wrong last sequence, 10164 the same where the server does not say which one is right. */
function wrongRevision(code: number): boolean {
  return code === 10071 || code === 10164;
}
