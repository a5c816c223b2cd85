/** What is written down of an experiment, and how it changes. Pure: a record in, a record out, the time given. */
import { clone, create } from "@bufbuild/protobuf";
import { timestampFromDate, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Experiment,
  type ExperimentRecord,
  ExperimentRecordSchema,
  type Origin,
  Experiment_Priority as Priority,
  Experiment_Reason as Reason,
  Experiment_State as State,
  type StateChanged,
  StateChangedSchema,
  TransitionSchema,
} from "@pretrain/proto";
import { type CompleteRecipe, experimentName, recipeSha256 } from "@pretrain/recipe";
import { after, type Command, following, isFinal } from "./lifecycle.ts";

export interface NewExperiment {
  readonly id: string;
  /** The id as its author wrote it. */
  readonly title: string;
  readonly recipe: CompleteRecipe;
  readonly requestId: string;
  readonly requestSha256: string;
  readonly priority: Priority;
  /** Of a fork: its parent's checkpoint, which is held for it from now on. Of an import: its files. */
  readonly origin?: Origin;
}

export interface Change {
  readonly now: Date;
  /** For a person: why, or what happens now. */
  readonly message: string;
  readonly reason?: Reason;
  /** Fields of the resource that change with the state. */
  readonly fields?: Partial<Pick<Experiment, "attempt" | "dataset" | "parameters" | "progress" | "trainingEndTime">>;
}

/** The record of an accepted request: its first transition not announced, its work not enqueued. */
export function queued(
  { id, title, recipe, priority, origin, ...request }: NewExperiment,
  now: Date,
): ExperimentRecord {
  const time = timestampFromDate(now);
  const message = "waits for a worker";
  return create(ExperimentRecordSchema, {
    experiment: {
      name: experimentName(id),
      title,
      state: State.QUEUED,
      message,
      recipe,
      recipeSha256: recipeSha256(recipe),
      createTime: time,
      priority: priority || Priority.NORMAL,
      ...(origin && { origin }),
    },
    ...request,
    originHeld: origin !== undefined && origin.imported === undefined,
    transitions: [{ time, to: State.QUEUED, message }],
  });
}

/** The record after a command. @throws FailedPrecondition when its state does not accept it */
export function changed(record: ExperimentRecord, command: Command, change: Change): ExperimentRecord {
  const copy = clone(ExperimentRecordSchema, record);
  const experiment = experimentOf(copy);
  const { reason = Reason.UNSPECIFIED, message, now, fields } = change;
  const from = experiment.state;
  const to = after(from, command);
  const time = timestampFromDate(now);
  Object.assign(experiment, fields, { state: to, reason, message });
  if (to === State.PREPARING) experiment.startTime ??= time;
  if (to === State.RUNNING) experiment.trainingStartTime ??= time;
  if (isFinal(to)) Object.assign(experiment, { endTime: time, cancelRequested: false });
  if (isFinal(to) || to === State.PAUSED) experiment.pauseRequested = false;
  if (command === "resume") copy.enqueued = false; // the piece that stood for it was struck off, or will be
  const { attempt, progress } = experiment;
  const ended = to === State.COMPLETED && { microStep: progress?.microStep ?? 0n };
  copy.transitions.push(create(TransitionSchema, { time, from, to, reason, message, attempt, ...ended }));
  return copy;
}

/** Whether the record's last transition is this very change. */
export function isLastChange({ transitions }: ExperimentRecord, command: Command, { now, message }: Change): boolean {
  const last = transitions.at(-1);
  if (last?.time === undefined || following(last.from, command) !== last.to) return false;
  return timestampMs(last.time) === now.getTime() && last.message === message;
}

/** The record with other fields of its resource; the state stays. */
export function withFields(record: ExperimentRecord, fields: Partial<Omit<Experiment, "state">>): ExperimentRecord {
  const copy = clone(ExperimentRecordSchema, record);
  Object.assign(experimentOf(copy), fields);
  return copy;
}

/** The record with other marks of what was announced and enqueued. */
export function marked(
  record: ExperimentRecord,
  marks: Partial<Pick<ExperimentRecord, "announced" | "enqueued" | "originHeld" | "copied">>,
): ExperimentRecord {
  return Object.assign(clone(ExperimentRecordSchema, record), marks);
}

/** The resource as callers see it; `etag` changes with every write of the record. */
export function resourceOf(record: ExperimentRecord, revision: number): Experiment {
  return { ...experimentOf(record), etag: String(revision) };
}

export function experimentOf(record: ExperimentRecord): Experiment {
  if (record.experiment !== undefined) return record.experiment;
  throw new Error("a record without an experiment was stored"); // never written by this program
}

/** The events of the transitions that are not announced yet, in order. The first transition seals the recipe. */
export function unannounced(record: ExperimentRecord): StateChanged[] {
  const { name, title, recipe, recipeSha256: sha256, origin } = experimentOf(record);
  return record.transitions.slice(record.announced).map((transition, i) => {
    const sequence = record.announced + i + 1;
    const { $typeName: _, $unknown: __, ...facts } = transition;
    const event = create(StateChangedSchema, { experiment: name, sequence, ...facts });
    Object.assign(event, { recipeSha256: sha256 }, sequence === 1 ? { recipe, title, origin } : {});
    return event;
  });
}
