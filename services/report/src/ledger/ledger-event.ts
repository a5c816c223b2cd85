/** The events that the ledger keeps, each with the identity that makes a repetition of it recognizable. */
import { type DescMessage, toJsonString } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@pretrain/errors";
import { type EventMessage, events, type KindName } from "@pretrain/events";
import { idOfExperimentName } from "@pretrain/recipe";

export type LedgerEvent = {
  [K in KindName]: { readonly kind: K; readonly message: EventMessage<K> };
}[KindName];

/** Two events with the same identity are the same event. */
export interface EventIdentity {
  /** Canonical id, without `experiments/`. */
  readonly experiment: string;
  readonly kind: KindName;
  /** 0 where the identity has none. */
  readonly attempt: number;
  /** The attempt's mark: an event of a claim that was never granted is another event. Empty where the identity has none. */
  readonly nonce: string;
  /** Micro-step, sequence or line number; 0 where the identity has none. */
  readonly number: number;
  /** Phase, name or digest, where the identity is a text; else empty. */
  readonly detail: string;
}

/** What the ledger's table of events holds of one event. */
export interface LedgerEntry extends EventIdentity {
  readonly timeMs: number;
  /** ProtoJSON. */
  readonly payload: string;
}

/** @throws InvalidArgument when the event names no experiment, has no time, no usable mark, or a count that no number can hold */
export function ledgerEntry(event: LedgerEvent): LedgerEntry {
  const payload = toJsonString<DescMessage>(events[event.kind].schema, event.message);
  return { ...eventIdentity(event), timeMs: timeOf(event), payload };
}

/** @throws as `ledgerEntry` */
export function eventIdentity(event: LedgerEvent): EventIdentity {
  const { message, kind } = event;
  return { experiment: idOfExperimentName(message.experiment, `${kind}.experiment`), kind, ...identityOf(event) };
}

type Identity = Omit<EventIdentity, "experiment" | "kind">;

/** As the comments of the .proto files say. */
function identityOf(event: LedgerEvent): Identity {
  const { kind, message } = event;
  const none = { attempt: 0, nonce: "", number: 0, detail: "" };
  switch (kind) {
    case "step":
    case "memory":
    case "profile":
      return { ...none, ...marked(message, kind), number: count(message.microStep, kind) };
    case "log":
      return { ...none, ...marked(message, kind), number: count(message.number, kind) };
    case "state":
      return { ...none, number: message.sequence };
    case "attempt":
      return { ...none, ...marked(message, kind) };
    case "phase":
      return { ...none, ...marked(message, kind), detail: message.phase };
    case "dataset":
      return { ...none, detail: `${message.report?.manifestSha256 ?? ""}/${timeOf(event)}` };
    case "checkpoint":
    case "removal":
      return { ...none, ...marked(message, kind), number: count(message.checkpoint?.microStep ?? 0n, kind) };
    case "evaluation":
      return { ...none, detail: message.evaluation?.name ?? "" };
    case "annotation":
      return { ...none, detail: message.name };
    case "report":
      return { ...none, detail: message.reportSha256 };
  }
}

/** The identity that a `Nats-Msg-Id` stands for; undefined when it stands for none that the ledger could have. */
export function identityOfMessageId(messageId: string): EventIdentity | undefined {
  const [kind = "", experiment = "", ...rest] = messageId.split("/");
  if (!Object.hasOwn(events, kind)) return undefined;
  const named = { experiment, kind: kind as KindName, attempt: 0, nonce: "", number: 0, detail: "" };
  const [attempt = "", nonce = "", last = "", ...more] = rest;
  switch (named.kind) {
    case "step":
    case "memory":
    case "profile":
    case "log":
    case "checkpoint":
    case "removal":
      return more.length > 0 ? undefined : { ...named, attempt: Number(attempt), nonce, number: Number(last) };
    case "attempt":
      return { ...named, attempt: Number(attempt), nonce };
    case "phase":
      return { ...named, attempt: Number(attempt), nonce, detail: [last, ...more].join("/") };
    case "state":
      return { ...named, number: Number(attempt) };
    case "dataset":
    case "evaluation":
    case "annotation":
    case "report":
      return { ...named, detail: rest.join("/") };
  }
}

function marked({ attempt, attemptNonce: nonce }: { attempt: number; attemptNonce: string }, kind: KindName) {
  if (/^[0-9A-Za-z-]{0,64}$/.test(nonce)) return { attempt, nonce };
  throw new InvalidArgument([{ field: `${kind}.attempt_nonce`, description: "is no mark of an attempt" }]);
}

/** @throws InvalidArgument for a number that is negative or too large to be exact */
export function count(value: bigint, kind: KindName): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgument([{ field: kind, description: `${value} is not a count that can be kept` }]);
}

/** Milliseconds since 1970. @throws as `ledgerEntry` */
export function timeOf({ kind, message }: LedgerEvent): number {
  const time: Timestamp | undefined = kind === "phase" ? message.endTime : message.time;
  if (time === undefined) throw new InvalidArgument([{ field: `${kind}.time`, description: "is missing" }]);
  return timestampMs(time);
}
