/** Records that go away by themselves unless they are written again in time. The time is the broker's, and no other clock counts. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type JetStreamPublishOptions, JsHeaders, PubHeaders } from "@nats-io/jetstream";
import { type KvEntry, Kvm } from "@nats-io/kv";
import { headers } from "@nats-io/transport-node";
import { Aborted, AlreadyExists } from "@pretrain/errors";
import type { Connection } from "./connection.ts";
import { decoded, encoded } from "./payload.ts";
import { answered, type Recorded } from "./records.ts";
import type { BucketName } from "./topology.ts";

export interface ExpiringRecords<Value> {
  get(key: string): Promise<Recorded<Value> | undefined>;
  /** @param ttlMs rounded up to whole seconds   @returns its revision. @throws AlreadyExists when the key is taken */
  create(key: string, value: Value, ttlMs: number): Promise<number>;
  /** Writes it again, with its time from now on. @throws Aborted when it has expired, or somebody changed it since `revision` */
  renew(key: string, value: Value, revision: number, ttlMs: number): Promise<number>;
  /** Takes it away. @throws Aborted as `renew` */
  remove(key: string, revision: number): Promise<void>;
}

/** A late answer to a write that is to keep something alive is of no use. */
const answerMs = 2_000;

export async function openExpiringRecords<Schema extends DescMessage>(
  { jetstream }: Connection,
  bucket: BucketName,
  schema: Schema,
): Promise<ExpiringRecords<MessageShape<Schema>>> {
  const kv = await new Kvm(jetstream).open(bucket);
  const entryOf = (key: string) => answered(bucket, () => kv.get(key));
  const write = async (key: string, bytes: Uint8Array, revision: number, more: Readonly<Record<string, string>>) => {
    const described = headers();
    described.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(revision));
    for (const [name, value] of Object.entries(more)) described.set(name, value);
    const options: Partial<JetStreamPublishOptions> = { headers: described, timeout: answerMs };
    return (await jetstream.publish(`$KV.${bucket}.${key}`, bytes, options)).seq;
  };
  const put = (key: string, value: MessageShape<Schema>, revision: number, ttlMs: number) =>
    write(key, encoded(schema, value), revision, { [PubHeaders.MessageTTL]: `${Math.ceil(ttlMs / 1000)}s` });
  const changed = (key: string) => () =>
    new Aborted("RECORD_CHANGED", `${bucket}: ${key} has expired or was changed by somebody else; read it again`, {
      bucket,
      key,
    });
  return {
    async get(key) {
      const entry = await entryOf(key);
      if (entry === null || !isThere(entry)) return undefined;
      return { key, value: decoded(schema, entry.value), revision: entry.revision };
    },
    async create(key, value, ttlMs) {
      const entry = await entryOf(key);
      const taken = () => new AlreadyExists("RECORD_EXISTS", `${bucket}: ${key} is there already`, { bucket, key });
      if (entry !== null && isThere(entry)) throw taken();
      return await answered(bucket, () => put(key, value, entry?.revision ?? 0, ttlMs), taken); // over the mark of an old end
    },
    async renew(key, value, revision, ttlMs) {
      return await answered(bucket, () => put(key, value, revision, ttlMs), changed(key));
    },
    async remove(key, revision) {
      const purge = { "KV-Operation": "PURGE", [JsHeaders.RollupHdr]: JsHeaders.RollupValueSubject };
      const soon = { [PubHeaders.MessageTTL]: "1s" }; // the mark of the end ends too
      await answered(bucket, () => write(key, new Uint8Array(), revision, { ...purge, ...soon }), changed(key));
    },
  };
}

function isThere({ operation }: KvEntry): boolean {
  return operation === "PUT";
}
