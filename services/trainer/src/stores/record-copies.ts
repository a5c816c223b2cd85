/**
 * Copies of the records outside of the broker, in the store of checkpoints: one for each change of state and each request of a
 * user, made behind the change and before its event or its answer. A bucket that is lost, or that an older disk brought back, is made whole from them:
 *
 *     records/experiments/<id>/<changes>.json      the first one stays for good, of the others the last two
 *
 * A copy is behind the bucket or equal to it; one that is ahead means that the bucket has forgotten something.
 */
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type ExperimentRecord, ExperimentRecordSchema } from "@pretrain/proto";
import { changesOf } from "../experiment/experiment-facts.ts";

const prefix = "records/experiments/";

export class RecordCopies {
  readonly #blobs: BlobStore;
  readonly #log: Log;

  constructor(blobs: BlobStore, log: Log) {
    this.#blobs = blobs;
    this.#log = log;
  }

  /** False when the store does not take it now: an experiment goes on without, and the sweep tries again. */
  async keep(id: string, record: ExperimentRecord): Promise<boolean> {
    const number = changesOf(record);
    try {
      await this.#blobs.create(
        keyOf(id, number),
        new TextEncoder().encode(toJsonString(ExperimentRecordSchema, record)),
      );
      if (number > 3) await this.#blobs.delete(keyOf(id, number - 2));
      return true;
    } catch (error) {
      this.#log.warn({ experiment: id, reason: messageOf(error) }, "the copy of a record is made later");
      return false;
    }
  }

  /** Whether there ever was an experiment of this id. */
  async knows(id: string): Promise<boolean> {
    return (await this.#blobs.stat(keyOf(id, 1))) !== undefined;
  }

  /** Of every experiment the numbers of its copies, the newest first. */
  async numbers(): Promise<Map<string, number[]>> {
    const found = new Map<string, number[]>();
    for await (const { key } of this.#blobs.list(prefix)) {
      const [, id, number] = /^([a-z0-9-]+)\/([1-9]\d*)\.json$/.exec(key.slice(prefix.length)) ?? [];
      if (id !== undefined)
        found.set(
          id,
          [Number(number), ...(found.get(id) ?? [])].sort((a, b) => b - a),
        );
    }
    return found;
  }

  /** Undefined when it cannot be read. */
  async read(id: string, number: number): Promise<ExperimentRecord | undefined> {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await this.#blobs.read(keyOf(id, number)));
      const record = fromJsonString(ExperimentRecordSchema, text, { ignoreUnknownFields: true });
      if (record.experiment?.name !== `experiments/${id}`) throw new Error("it is another experiment's");
      return record;
    } catch (error) {
      this.#log.error({ experiment: id, number, reason: messageOf(error) }, "a copy of a record cannot be read");
      return undefined;
    }
  }
}

function keyOf(id: string, number: number): string {
  return `${prefix}${id}/${number}.json`;
}
