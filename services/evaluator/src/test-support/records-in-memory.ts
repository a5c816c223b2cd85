/** A bucket of the broker for tests that need none: the same promises about revisions, kept in a map. */
import { clone } from "@bufbuild/protobuf";
import { Aborted, AlreadyExists } from "@pretrain/errors";
import { type EvaluationRecord, EvaluationRecordSchema } from "@pretrain/proto";
import type { EvaluationRecords } from "../stores/evaluation-records.ts";

export class RecordsInMemory implements EvaluationRecords {
  readonly #entries = new Map<string, { value: EvaluationRecord; revision: number }>();
  #revision = 0;
  /** Runs before each update, to be faster than whoever updates. */
  beforeUpdate: () => Promise<void> = () => Promise.resolve();

  async get(key: string) {
    const entry = this.#entries.get(key);
    return entry && { key, value: clone(EvaluationRecordSchema, entry.value), revision: entry.revision };
  }

  async create(key: string, value: EvaluationRecord): Promise<number> {
    if (this.#entries.has(key)) throw new AlreadyExists("RECORD_EXISTS", `${key} is there already`);
    return this.#put(key, value);
  }

  async update(key: string, value: EvaluationRecord, revision: number): Promise<number> {
    await this.beforeUpdate();
    if (this.#entries.get(key)?.revision !== revision) throw new Aborted("RECORD_CHANGED", `${key} was changed`);
    return this.#put(key, value);
  }

  async list() {
    return [...this.#entries].map(([key, { value, revision }]) => ({ key, value, revision }));
  }

  #put(key: string, value: EvaluationRecord): number {
    this.#revision += 1;
    this.#entries.set(key, { value: clone(EvaluationRecordSchema, value), revision: this.#revision });
    return this.#revision;
  }
}
