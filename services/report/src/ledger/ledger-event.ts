/** The events that the ledger keeps, each with the identity that makes a repetition of it recognizable. */
import { type DescMessage, toJsonString } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@pretrain/errors";
import { type EventMessage, events, type KindName } from "@pretrain/events";
import { idOfExperimentName } from "@pretrain/recipe";

export type LedgerEvent = {
  [K in KindName]: { readonly kind: K; readonly message: EventMessage<K> };
}[KindName];

/** What the ledger's table of events holds of one event. Two events with the same first five members are the same event. */
export interface LedgerEntry {
  /** Canonical id, without `experiments/`. */
  readonly experiment: string;
  readonly kind: KindName;
  /** 0 where the identity has none. */
  readonly attempt: number;
  /** Micro-step, sequence or line number; 0 where the identity has none. */
  readonly number: number;
  /** Phase, name or digest, where the identity is a text; else empty. */
  readonly detail: string;
  readonly timeMs: number;
  /** ProtoJSON. */
  readonly payload: string;
}

/** @throws InvalidArgument when the event names no experiment, has no time, or a count that no number can hold */
export function ledgerEntry(event: LedgerEvent): LedgerEntry {
  const { message, kind } = event;
  return {
    experiment: idOfExperimentName(message.experiment, `${kind}.experiment`),
    kind,
    ...identityOf(event),
    timeMs: timeOf(event),
    payload: toJsonString<DescMessage>(events[kind].schema, message),
  };
}

type Identity = Pick<LedgerEntry, "attempt" | "number" | "detail">;

/** As the comments of the .proto files say. */
function identityOf({ kind, message }: LedgerEvent): Identity {
  const none = { attempt: 0, number: 0, detail: "" };
  switch (kind) {
    case "step":
    case "memory":
    case "profile":
      return { ...none, attempt: message.attempt, number: count(message.microStep, kind) };
    case "log":
      return { ...none, attempt: message.attempt, number: count(message.number, kind) };
    case "state":
      return { ...none, number: message.sequence };
    case "attempt":
      return { ...none, attempt: message.attempt };
    case "phase":
      return { ...none, attempt: message.attempt, detail: message.phase };
    case "dataset":
      return { ...none, detail: message.report?.manifestSha256 ?? "" };
    case "checkpoint":
      return { ...none, attempt: message.attempt, number: count(message.checkpoint?.microStep ?? 0n, kind) };
    case "evaluation":
      return { ...none, detail: message.evaluation?.name ?? "" };
    case "report":
      return { ...none, detail: message.reportSha256 };
  }
}

function count(value: bigint, kind: KindName): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgument([{ field: kind, description: `${value} is not a count that can be kept` }]);
}

function timeOf({ kind, message }: LedgerEvent): number {
  const time: Timestamp | undefined = kind === "phase" ? message.endTime : message.time;
  if (time === undefined) throw new InvalidArgument([{ field: `${kind}.time`, description: "is missing" }]);
  return timestampMs(time);
}
