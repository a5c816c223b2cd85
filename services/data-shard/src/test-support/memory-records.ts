/** A bucket in memory with the same compare-and-set, for tests that need no broker. */
import { Aborted, AlreadyExists } from "@pretrain/errors";
import type { Recorded, Records } from "@pretrain/events";
import type { DatasetRecord } from "@pretrain/proto";
import { DatasetRecords } from "../stores/dataset-records.ts";

/**
 * @param beforeUpdate runs before every update: what somebody else does in between
 * @param onWritten is told every value that was written
 */
export function memoryRecords(
  beforeUpdate: () => Promise<unknown> = async () => undefined,
  onWritten: (value: DatasetRecord) => void = () => undefined,
): DatasetRecords {
  const stored = new Map<string, Recorded<DatasetRecord>>();
  let revision = 0;
  const put = (key: string, value: DatasetRecord) => {
    revision += 1;
    stored.set(key, { key, value: structuredClone(value), revision });
    onWritten(value);
    return revision;
  };
  const records: Records<DatasetRecord> = {
    get: async (key) => stored.get(key),
    async create(key, value) {
      if (stored.has(key)) throw new AlreadyExists("RECORD_EXISTS", key);
      return put(key, value);
    },
    async update(key, value, expected) {
      await beforeUpdate();
      if (stored.get(key)?.revision !== expected) throw new Aborted("RECORD_CHANGED", key);
      return put(key, value);
    },
    getMany: async (keys) => [...stored.values()].filter(({ key }) => keys.includes(key)),
    list: async () => [...stored.values()],
    watch: () => {
      throw new Error("not used here");
    },
  };
  return new DatasetRecords(records);
}
