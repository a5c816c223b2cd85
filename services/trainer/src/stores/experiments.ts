/**
 * The experiments of the bucket. Every change is a compare-and-set; what follows from it (the event, the piece of work) is
 * marked in the same record and done afterwards, by whoever comes first:
 *
 *     compare-and-set ── copy the record ── publish the event ── enqueue the work ── mark all three
 *            └──────────────────┴──────────────────┴──────────────────┴─ a crash here: `settle` does the rest
 */
import { create } from "@bufbuild/protobuf";
import { Aborted, AlreadyExists, NotFound, Unavailable } from "@pretrain/errors";
import { type Broker, events, type Recorded, type Records, work } from "@pretrain/events";
import { type ExperimentRecord, Experiment_Priority as Priority, TrainWorkSchema } from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { changesOf, isToBeEnqueued } from "../experiment/experiment-facts.ts";
import { type Command, following } from "../experiment/lifecycle.ts";
import { type Change, changed, experimentOf, isLastChange, marked, unannounced } from "../experiment/record.ts";
import type { RecordCopies } from "./record-copies.ts";

export type Found = Recorded<ExperimentRecord>;

const triesLimit = 50;

export class Experiments {
  readonly #records: Records<ExperimentRecord>;
  readonly #broker: Pick<Broker, "publish" | "enqueue">;
  readonly #copies: Pick<RecordCopies, "keep" | "knows">;

  constructor(
    records: Records<ExperimentRecord>,
    broker: Pick<Broker, "publish" | "enqueue">,
    copies: Pick<RecordCopies, "keep" | "knows">,
  ) {
    this.#records = records;
    this.#broker = broker;
    this.#copies = copies;
  }

  find(id: string): Promise<Found | undefined> {
    return this.#records.get(id);
  }

  /** @throws NotFound EXPERIMENT_NOT_FOUND */
  async get(id: string): Promise<Found> {
    const found = await this.#records.get(id);
    if (found !== undefined) return found;
    const name = experimentName(id);
    throw new NotFound("EXPERIMENT_NOT_FOUND", `there is no experiment ${name}`, { name });
  }

  /** Those of the ids that there are, in no order. */
  getMany(ids: readonly string[]): Promise<Found[]> {
    return this.#records.getMany(ids);
  }

  /** Whether the bucket answers. */
  async isReachable(): Promise<boolean> {
    try {
      await this.#records.get("any");
      return true;
    } catch (error) {
      if (error instanceof Unavailable) return false;
      throw error;
    }
  }

  /** The experiment now and whenever it changes; a state in between may be passed over. */
  watch(id: string, signal: AbortSignal): AsyncIterable<Found> {
    return this.#records.watch(id, signal);
  }

  /** @throws AlreadyExists when the id is taken; Unavailable when it was, and the broker has forgotten it */
  async create(id: string, value: ExperimentRecord): Promise<Found> {
    if ((await this.find(id)) === undefined && (await this.#copies.knows(id))) {
      const message = `the broker has forgotten ${experimentName(id)}, which is being restored; try again`;
      throw new Unavailable("RECORD_FORGOTTEN", message, { name: experimentName(id) });
    }
    return { key: id, value, revision: await this.#records.create(id, value) };
  }

  /** Puts back a record that has come further than the bucket knows. @returns false when the bucket knows as much by now */
  async restore(id: string, value: ExperimentRecord): Promise<boolean> {
    const found = await this.find(id);
    if (found !== undefined && changesOf(found.value) >= changesOf(value)) return false;
    try {
      if (found === undefined) await this.#records.create(id, value);
      else await this.update(found, value);
      return true;
    } catch (error) {
      if (error instanceof Aborted || error instanceof AlreadyExists) return false; // somebody else was faster
      throw error;
    }
  }

  /** @throws Aborted when somebody has changed the record since */
  async update({ key, revision }: Found, value: ExperimentRecord): Promise<Found> {
    return { key, value, revision: await this.#records.update(key, value, revision) };
  }

  /**
   * Changes the record as `change` says of the newest one; undefined leaves it.
   *
   * @throws NotFound; what `change` throws; Aborted after fifty others were faster
   */
  async change(id: string, change: (found: Found) => ExperimentRecord | undefined): Promise<Found> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.get(id);
      const value = change(found);
      if (value === undefined) return found;
      try {
        return await this.update(found, value);
      } catch (error) {
        if (!(error instanceof Aborted) || tries === triesLimit) throw error;
      }
    }
  }

  /**
   * Takes the experiment to its next state and announces it. The same change again, after an answer that was lost, changes
   * nothing more.
   *
   * @param expect throws when the record is not what the caller takes it for   @throws FailedPrecondition; as `change`
   */
  async advance(
    id: string,
    command: Command,
    change: Change,
    expect: (record: ExperimentRecord) => void = () => undefined,
  ): Promise<Found> {
    const found = await this.change(id, ({ value }) => {
      if (isLastChange(value, command, change)) return undefined;
      expect(value);
      return changed(value, command, change);
    });
    return await this.settle(found);
  }

  /** Does what the record says is still to be done: its transitions on the events' stream, its work in the queue. */
  async settle(found: Found): Promise<Found> {
    const { key, value } = found;
    const length = value.transitions.length;
    const changes = changesOf(value);
    const copied = value.copied < changes && (await this.#copies.keep(key, value)) ? changes : value.copied;
    for (const event of unannounced(value)) await this.#broker.publish(events.state, event);
    const enqueues = isToBeEnqueued(value);
    if (enqueues) await this.#enqueue(key, value);
    if (value.announced === length && value.copied === copied && !enqueues) return found;
    return await this.change(key, ({ value: newest }) =>
      marked(newest, {
        announced: Math.max(length, newest.announced),
        copied: Math.max(copied, newest.copied),
        // Not the piece of somebody who resumed it meanwhile: that one is still to be enqueued.
        enqueued: newest.enqueued || (enqueues && timesResumed(newest) === timesResumed(value)),
      }),
    );
  }

  /** Another id for each time, since the queue takes an id only once within minutes; the same for a repetition of one. */
  #enqueue(id: string, record: ExperimentRecord): Promise<void> {
    const piece = create(TrainWorkSchema, { experiment: experimentName(id) });
    const { priority } = experimentOf(record);
    return this.#broker.enqueue(queueOf(priority), piece, `${id}/${record.transitions.length}`);
  }
}

function queueOf(priority: Priority) {
  if (priority === Priority.HIGH) return work.trainHigh;
  return priority === Priority.LOW ? work.trainLow : work.train;
}

function timesResumed({ transitions }: ExperimentRecord): number {
  return transitions.filter(({ from, to }) => following(from, "resume") === to).length;
}
