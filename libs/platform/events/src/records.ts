/** Records in a bucket of the broker: read, made once, and changed only by who has seen the version before. */

import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm } from "@nats-io/kv";
import { Aborted, AlreadyExists, messageOf, Unavailable } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import { frozen } from "./frozen.ts";
import { decoded, encoded } from "./payload.ts";
import { refusalOf } from "./refusal.ts";
import { SharedReads } from "./shared-reads.ts";
import type { BucketName } from "./topology.ts";

export interface Recorded<Value> {
  readonly key: string;
  readonly value: Value;
  /** Grows with every change; the etag of the record. */
  readonly revision: number;
}

export interface Records<Value> {
  /** What is found is shared with whoever asks at the same time, and so frozen. */
  get(key: string): Promise<Recorded<Value> | undefined>;
  /** Those of the keys that there are, in no order, a thousand or so in one request. */
  getMany(keys: readonly string[]): Promise<Recorded<Value>[]>;
  /** @returns its revision. @throws AlreadyExists when the key is taken. */
  create(key: string, value: Value): Promise<number>;
  /** @returns its new revision. @throws Aborted when somebody changed it since `revision`. */
  update(key: string, value: Value, revision: number): Promise<number>;
  /** All records, in no order. Of a large bucket keep an index instead. */
  list(): Promise<Recorded<Value>[]>;
  /** The record whenever it changes, and now. A state in between may be passed over. Ends with `signal`. */
  watch(key: string, signal: AbortSignal): AsyncIterable<Recorded<Value>>;
}

/** A change that the watch missed (a server that restarted) is seen by looking again. */
const reconcileMs = 2000;

/** The server answers no more subjects at once than 1024. */
const keysAtOnce = 512;

export async function openRecords<Schema extends DescMessage>(
  { jetstream, manager }: Connection,
  bucket: BucketName,
  schema: Schema,
): Promise<Records<MessageShape<Schema>>> {
  const kv = await new Kvm(jetstream).open(bucket);
  const recorded = (entry: KvEntry) => ({
    key: entry.key,
    value: decoded(schema, entry.value),
    revision: entry.revision,
  });
  const reads = new SharedReads<Recorded<MessageShape<Schema>> | undefined>();
  const get = (key: string) =>
    reads.read(key, async () => {
      const entry = await answered(bucket, () => kv.get(key));
      return entry === null || entry.operation !== "PUT" ? undefined : frozen(recorded(entry));
    });
  const getMany = async (keys: readonly string[]) => {
    const found: Recorded<MessageShape<Schema>>[] = [];
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const subjects = keys.slice(from, from + keysAtOnce).map((key) => `$KV.${bucket}.${key}`);
      const messages = await answered(bucket, () => lastOf(manager, bucket, subjects));
      found.push(...messages.map(({ key, data, seq }) => ({ key, value: decoded(schema, data), revision: seq })));
    }
    return found;
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
    getMany,
    async list() {
      return await getMany(await answered(bucket, async () => Array.fromAsync(await kv.keys())));
    },
    watch: (key, signal) => watch(kv, key, get, signal),
  };
}

/** The newest message of each subject; of a deleted key there is none. */
async function lastOf(manager: JetStreamManager, bucket: BucketName, subjects: string[]) {
  const found: { key: string; data: Uint8Array; seq: number }[] = [];
  const messages = await manager.direct.getLastMessagesFor(`KV_${bucket}`, { multi_last: subjects });
  for await (const { subject, data, seq, header } of messages) {
    if (header.get("KV-Operation") === "") found.push({ key: subject.slice(`$KV.${bucket}.`.length), data, seq });
  }
  return found;
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

/** What the broker answered; a write that came too late as `refused` says, what we may not as PermissionDenied, silence as Unavailable. */
export async function answered<Answer>(
  bucket: BucketName,
  ask: () => Promise<Answer>,
  refused?: () => Error,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (refused !== undefined && error instanceof JetStreamApiError && wrongRevision(error.code)) throw refused();
    const refusal = refusalOf(error);
    if (refusal !== undefined) throw refusal;
    const message = `${bucket}: no answer from the broker (${messageOf(error)}); try again`;
    throw new Unavailable("BROKER_SILENT", message, { bucket }, { cause: error });
  }
}

/** 10071 wrong last sequence, 10164 the same where the server does not say which one is right. */
function wrongRevision(code: number): boolean {
  return code === 10071 || code === 10164;
}
