/** The store of experiments without a broker: the same compare-and-set, and a list of what was published and enqueued. */
import { clone } from "@bufbuild/protobuf";
import { Aborted, AlreadyExists, Unavailable } from "@pretrain/errors";
import type { Recorded, RecordIndex, Records } from "@pretrain/events";
import { type ExperimentRecord, ExperimentRecordSchema, type StateChanged } from "@pretrain/proto";
import { type ExperimentFacts, experimentFacts } from "../experiment/experiment-facts.ts";
import { stateName } from "../experiment/lifecycle.ts";
import { Experiments } from "../stores/experiments.ts";
import type { RecordCopies } from "../stores/record-copies.ts";

export interface ExperimentsInMemory {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
  /** `1 QUEUED`, one for each published event. */
  readonly announced: string[];
  /** Ids of the pieces of work. */
  readonly enqueued: string[];
  /** How many more calls of the broker's succeed; the others find nobody. */
  callsLeft: number;
  /** Runs once before the next write: what somebody else does in between. */
  beforeWrite: (() => Promise<unknown>) | undefined;
  /** Runs once behind the next piece that is enqueued. */
  afterEnqueue: (() => Promise<unknown>) | undefined;
}

/** @param copies of the records; as if each were kept, if not given */
export function experimentsInMemory(
  copies: Pick<RecordCopies, "keep" | "knows"> = { keep: async () => true, knows: async () => false },
): ExperimentsInMemory {
  const stored = new Map<string, Recorded<ExperimentRecord>>();
  let revision = 0;
  const system = {
    announced: [] as string[],
    enqueued: [] as string[],
    callsLeft: Number.POSITIVE_INFINITY,
    beforeWrite: undefined as (() => Promise<unknown>) | undefined,
    afterEnqueue: undefined as (() => Promise<unknown>) | undefined,
  };
  const called = () => {
    system.callsLeft -= 1;
    if (system.callsLeft < 0) throw new Unavailable("BROKER_SILENT", "no answer from the broker");
  };
  const put = (key: string, value: ExperimentRecord): number => {
    revision += 1;
    stored.set(key, { key, value: clone(ExperimentRecordSchema, value), revision });
    return revision;
  };
  const others = async () => {
    const act = system.beforeWrite;
    system.beforeWrite = undefined;
    await act?.();
  };
  const records: Records<ExperimentRecord> = {
    get: async (key) => stored.get(key),
    getMany: async (keys) => [...stored.values()].filter(({ key }) => keys.includes(key)),
    list: async () => [...stored.values()],
    async create(key, value) {
      await others();
      called();
      if (stored.has(key)) throw new AlreadyExists("RECORD_EXISTS", key);
      return put(key, value);
    },
    async update(key, value, seen) {
      await others();
      called();
      if (stored.get(key)?.revision !== seen) throw new Aborted("RECORD_CHANGED", key);
      return put(key, value);
    },
    async *watch(key) {
      for (let last = 0; ; ) {
        const found = stored.get(key);
        if (found !== undefined && found.revision > last) yield found;
        last = found?.revision ?? last;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  const broker = {
    async publish(_kind: unknown, message: unknown) {
      called();
      const { sequence, to } = message as StateChanged;
      system.announced.push(`${sequence} ${stateName(to)}`);
      return { duplicate: false };
    },
    async enqueue(_kind: unknown, _message: unknown, id: string) {
      called();
      system.enqueued.push(id);
      const act = system.afterEnqueue;
      system.afterEnqueue = undefined;
      await act?.();
    },
  };
  const index: RecordIndex<ExperimentFacts> = {
    readings: 1,
    current: async () => new Map([...stored].map(([key, recorded]) => [key, experimentFacts(recorded)])),
    async *changes(_key, signal) {
      while (!signal.aborted) {
        yield;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return Object.assign(system, { index, experiments: new Experiments(records, broker, copies) });
}
