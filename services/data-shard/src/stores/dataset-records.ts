/** Where datasets are written down. A change is a compare-and-set, so that two processes never overwrite each other's. */
import { Aborted, AlreadyExists, NotFound, Unavailable } from "@pretrain/errors";
import type { Recorded, Records } from "@pretrain/events";
import type { Dataset, DatasetRecord } from "@pretrain/proto";
import type { PackedRecord } from "../dataset/dataset-changes.ts";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";

/** A record as it was read; `revision` changes with every change. */
export interface StoredDataset {
  readonly record: PackedRecord;
  readonly revision: number;
}

const maximumAttempts = 50;

export class DatasetRecords {
  readonly #records: Records<DatasetRecord>;

  constructor(records: Records<DatasetRecord>) {
    this.#records = records;
  }

  /** @param name `datasets/{dataset}` */
  async get(name: string): Promise<StoredDataset | undefined> {
    const recorded = await this.#records.get(datasetIdOfName(name));
    return recorded === undefined ? undefined : stored(recorded);
  }

  /** Whether the broker answers. */
  async isReachable(): Promise<boolean> {
    try {
      await this.#records.get("no-dataset"); // any key will do
      return true;
    } catch (error) {
      if (error instanceof Unavailable) return false;
      throw error;
    }
  }

  /** @throws NotFound */
  async named(name: string): Promise<StoredDataset> {
    const found = await this.get(name);
    if (found === undefined) throw new NotFound("DATASET_NOT_FOUND", `there is no ${name}`, { name });
    return found;
  }

  /** All of them, by name. */
  async all(): Promise<readonly StoredDataset[]> {
    const all = (await this.#records.list()).map(stored);
    return all.sort((a, b) => (a.record.dataset.name < b.record.dataset.name ? -1 : 1));
  }

  /** The record under its dataset's name: this one if there was none, else the one that was there. */
  async create(record: PackedRecord): Promise<StoredDataset> {
    const { name } = record.dataset;
    try {
      return { record, revision: await this.#records.create(datasetIdOfName(name), record) };
    } catch (error) {
      if (!(error instanceof AlreadyExists)) throw error;
      return await this.named(name);
    }
  }

  /** Gives the record its next revision, and nothing else: whoever waits for a sign of life sees one. @throws NotFound; Aborted */
  async touch(name: string): Promise<void> {
    const { record, revision } = await this.named(name);
    await this.#records.update(datasetIdOfName(name), record, revision);
  }

  /**
   * Reads, changes and writes, again while others write in between.
   * @param change a function of the record alone; the same record means that nothing is to be written
   * @returns the record as it is then
   * @throws NotFound; Aborted when others were faster fifty times
   */
  async change(name: string, change: (record: PackedRecord) => PackedRecord): Promise<StoredDataset> {
    for (let attempt = 1; ; attempt += 1) {
      const current = await this.named(name);
      const record = change(current.record);
      if (record === current.record) return current;
      try {
        return { record, revision: await this.#records.update(datasetIdOfName(name), record, current.revision) };
      } catch (error) {
        if (!(error instanceof Aborted) || attempt === maximumAttempts) throw error;
      }
    }
  }
}

/** What a caller gets to see. */
export function resourceOf({ record, revision }: StoredDataset): Dataset {
  return { ...record.dataset, etag: String(revision) };
}

function stored({ key, value, revision }: Recorded<DatasetRecord>): StoredDataset {
  const { dataset } = value;
  if (dataset === undefined) throw new Error(`the record ${key} has no dataset`); // none is ever written so
  return { record: { ...value, dataset }, revision };
}
