/**
 * Every kind of event: its message, its subject and its identity. An identity names the kind, because a stream compares the
 * ids of all its subjects: without it a step's `.memory` sample would be dropped as a repetition of its `.step`.
 */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  AnnotationSchema,
  AttemptStartedSchema,
  CheckpointRemovedSchema,
  CheckpointWrittenSchema,
  DatasetPreparedSchema,
  EvaluationEndedSchema,
  LogLineSchema,
  MemorySampleSchema,
  PhaseEndedSchema,
  ProfileSampleSchema,
  ReportWrittenSchema,
  StateChangedSchema,
  StepMetricSchema,
} from "@pretrain/proto";
import type { StreamName } from "./topology.ts";

export interface EventKind<Name extends string, Schema extends DescMessage> {
  readonly kind: Name;
  readonly stream: StreamName;
  readonly schema: Schema;
  subject(message: MessageShape<Schema>): string;
  messageId(message: MessageShape<Schema>): string;
}

type Experimental = { readonly experiment: string };

function kindOf(stream: StreamName, prefix: string) {
  return <Name extends string, Schema extends DescMessage>(
    kind: Name,
    schema: Schema,
    identity: (message: MessageShape<Schema>) => readonly (string | number | bigint)[],
    experimentOf: (message: MessageShape<Schema>) => Experimental,
  ): EventKind<Name, Schema> => ({
    kind,
    stream,
    schema,
    subject: (message) => `${prefix}.${idOf(experimentOf(message).experiment)}.${kind}`,
    messageId: (message) => [kind, idOf(experimentOf(message).experiment), ...identity(message)].join("/"),
  });
}

/** The id in `experiments/{id}`, which is one token of a subject: a name that is not canonical is a fault of ours. */
function idOf(experiment: string): string {
  const id = /^experiments\/([a-z0-9][a-z0-9-]{0,62})$/.exec(experiment)?.[1];
  if (id === undefined) throw new Error(`"${experiment}" is no canonical name of an experiment`);
  return id;
}

const metric = kindOf("PRETRAIN_METRICS", "pretrain.metrics");
const fact = kindOf("PRETRAIN_EVENTS", "pretrain.events");
const itself = <T>(message: T): T => message;

export const events = {
  step: metric("step", StepMetricSchema, (m) => [m.attempt, m.attemptNonce, m.microStep], itself),
  memory: metric("memory", MemorySampleSchema, (m) => [m.attempt, m.attemptNonce, m.microStep], itself),
  profile: metric("profile", ProfileSampleSchema, (m) => [m.attempt, m.attemptNonce, m.microStep], itself),
  log: metric("log", LogLineSchema, (m) => [m.attempt, m.attemptNonce, m.number], itself),
  state: fact("state", StateChangedSchema, (m) => [m.sequence], itself),
  attempt: fact("attempt", AttemptStartedSchema, (m) => [m.attempt, m.attemptNonce], itself),
  phase: fact("phase", PhaseEndedSchema, (m) => [m.attempt, m.attemptNonce, m.phase], itself),
  dataset: fact(
    "dataset",
    DatasetPreparedSchema,
    (m) => [m.report?.manifestSha256 ?? "", m.time === undefined ? 0 : timestampMs(m.time)],
    itself,
  ),
  checkpoint: fact(
    "checkpoint",
    CheckpointWrittenSchema,
    (m) => [m.attempt, m.attemptNonce, m.checkpoint?.microStep ?? 0n],
    itself,
  ),
  removal: fact(
    "removal",
    CheckpointRemovedSchema,
    (m) => [m.attempt, m.attemptNonce, m.checkpoint?.microStep ?? 0n],
    itself,
  ),
  evaluation: fact("evaluation", EvaluationEndedSchema, (m) => [m.evaluation?.name ?? ""], itself),
  annotation: fact("annotation", AnnotationSchema, (m) => [m.name], itself),
  report: fact("report", ReportWrittenSchema, (m) => [m.reportSha256], itself),
} as const;

export type KindName = keyof typeof events;
export type EventMessage<Kind extends KindName> = MessageShape<(typeof events)[Kind]["schema"]>;

/** Subject of the events of a kind. @param experiment `experiments/{id}`; those of all experiments if absent */
export function subjectsOf(kind: KindName, experiment?: string): string {
  const id = experiment?.replace(/^experiments\//, "") ?? "*";
  const prefix = events[kind].stream === "PRETRAIN_METRICS" ? "pretrain.metrics" : "pretrain.events";
  return `${prefix}.${id}.${kind}`;
}

/** An event as it arrives, its kind saying which message it holds. */
export type Delivered<Kinds extends KindName = KindName> = {
  [Kind in Kinds]: {
    readonly kind: Kind;
    readonly message: EventMessage<Kind>;
    readonly stream: StreamName;
    /** Position in its stream, from 1. */
    readonly streamSequence: number;
    /** How often it has been delivered to this consumer, this time included. */
    readonly deliveries: number;
  };
}[Kinds];
