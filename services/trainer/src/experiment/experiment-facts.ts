/** What is kept of every experiment in memory: enough to list them in order and to see what is left undone, and no more. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Recorded } from "@pretrain/events";
import type { ExperimentRecord, Experiment_State as State } from "@pretrain/proto";
import { needsWork } from "./lifecycle.ts";
import type { Place } from "./page.ts";
import { experimentOf } from "./record.ts";
import { waitsForRoom } from "./want-of-room.ts";

export interface ExperimentFacts {
  readonly key: string;
  /** When it was made, in milliseconds since 1970. */
  readonly createdMs: number;
  readonly state: State;
  /** Changes of state and requests of users so far. */
  readonly changes: number;
  /** Whether an event has to be published or a piece of work to be enqueued. */
  readonly isUnsettled: boolean;
  /** Whether a piece of work should be in the queue or in a worker's hands. */
  readonly hasPiece: boolean;
  /** Whether it was paused for want of room and is resumed when there is some. */
  readonly waitsForRoom: boolean;
  /** Whether a checkpoint of another experiment is held for it. */
  readonly holdsOrigin: boolean;
}

export function experimentFacts({ key, value }: Recorded<ExperimentRecord>): ExperimentFacts {
  const experiment = experimentOf(value);
  const { createTime, state } = experiment;
  return {
    key,
    createdMs: createTime === undefined ? 0 : timestampMs(createTime),
    state,
    changes: changesOf(value),
    isUnsettled: isUnsettled(value),
    hasPiece: value.enqueued && needsWork(state),
    waitsForRoom: waitsForRoom(experiment),
    holdsOrigin: value.originHeld,
  };
}

/** Newest first: the later it was made, the smaller. */
export function placeOf({ createdMs, key }: ExperimentFacts): Place {
  return [-createdMs, key];
}

/** Whether what follows from the record's changes is still to be done, or to be marked as done. */
export function isUnsettled(record: ExperimentRecord): boolean {
  return record.announced < record.transitions.length || record.copied < changesOf(record) || isToBeEnqueued(record);
}

/** Grows with everything that was acknowledged to somebody; what a worker writes of its progress does not count. */
export function changesOf({ transitions, requests }: ExperimentRecord): number {
  return transitions.length + requests;
}

export function isToBeEnqueued(record: ExperimentRecord): boolean {
  return !record.enqueued && needsWork(experimentOf(record).state);
}
