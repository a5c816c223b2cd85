/** The history of one experiment, as the record's domain reads it. */
import { fromJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type EventMessage, events, type KindName } from "@pretrain/events";
import { experimentName } from "@pretrain/recipe";
import type { Resumption } from "../record/accepted.ts";
import type { Contradiction, History, Stranger } from "../record/history.ts";
import { isKnown } from "./is-known.ts";
import type { Ledger } from "./open-ledger.ts";
import { readRepetitions } from "./read-repetitions.ts";
import { readSteps } from "./read-steps.ts";

/** Undefined when the ledger holds no event of that experiment. Its steps are read from the file while they are iterated. */
export function readHistory(ledger: Ledger, experiment: string): History | undefined {
  if (!isKnown(ledger, experiment)) return undefined;
  return {
    experiment: experimentName(experiment),
    transitions: readEvents(ledger, experiment, "state"),
    attempts: readEvents(ledger, experiment, "attempt"),
    otherBeginnings: readOtherBeginnings(ledger, experiment),
    phases: readEvents(ledger, experiment, "phase").sort(
      (a, b) => a.attempt - b.attempt || startSeconds(a) - startSeconds(b),
    ),
    datasets: readEvents(ledger, experiment, "dataset"),
    checkpoints: readEvents(ledger, experiment, "checkpoint"),
    removals: readEvents(ledger, experiment, "removal"),
    evaluations: readEvents(ledger, experiment, "evaluation"),
    annotations: readAnnotations(ledger, experiment),
    memory: readEvents(ledger, experiment, "memory"),
    log: readEvents(ledger, experiment, "log"),
    contradictions: readContradictions(ledger, experiment),
    resumptions: readResumptions(ledger, experiment),
    strangers: readStrangers(ledger, experiment),
    repetitions: readRepetitions(ledger, experiment),
    steps: { [Symbol.iterator]: () => readSteps(ledger, experiment) },
  };
}

/**
 * All events of one kind, by attempt and number; of those that have neither (datasets) by time. What an attempt said under
 * another mark than the one that counts is left out.
 */
export function readEvents<K extends KindName>({ database }: Ledger, experiment: string, kind: K): EventMessage<K>[] {
  const counts = isMarked(kind) ? `AND (attempt, nonce) IN (${marksThatCount})` : "";
  const rows = database
    .prepare(`
      SELECT payload FROM events WHERE experiment = :experiment AND kind = :kind ${counts}
      ORDER BY attempt, number, time_ms, detail`)
    .all({ experiment, kind });
  return rows.map((row) => readPayload(kind, String(row["payload"])));
}

/** @throws Error when the text is not what the ledger wrote */
export function readPayload<K extends KindName>(kind: K, payload: string): EventMessage<K> {
  const schema: (typeof events)[K]["schema"] = events[kind].schema;
  return fromJsonString(schema, payload, { ignoreUnknownFields: true });
}

const marksThatCount = "SELECT attempt, nonce FROM counted WHERE experiment = :experiment";

function isMarked(kind: KindName): boolean {
  return events[kind].schema.fields.some(({ name }) => name === "attempt_nonce");
}

/** Where each attempt went on from. */
export function readResumptions({ database }: Ledger, experiment: string): Resumption[] {
  const rows = database
    .prepare("SELECT attempt, resumed_from FROM resumptions WHERE experiment = ? ORDER BY attempt, resumed_from")
    .all(experiment);
  return rows.map((row) => ({ attempt: Number(row["attempt"]), resumedFrom: Number(row["resumed_from"]) }));
}

/** Events under marks that do not count. Only marks are looked through, and there is nearly always one for each attempt. */
function readStrangers({ database }: Ledger, experiment: string): Stranger[] {
  const marks = database
    .prepare(`
      SELECT attempt, nonce FROM marks WHERE experiment = :experiment AND (attempt, nonce) NOT IN (${marksThatCount})
      ORDER BY attempt, nonce`)
    .all({ experiment });
  const count = database.prepare(
    "SELECT COUNT(*) AS events FROM events WHERE experiment = ? AND attempt = ? AND nonce = ?",
  );
  return marks.map(({ attempt, nonce }) => ({
    attempt: Number(attempt),
    events: Number(count.get(experiment, Number(attempt), String(nonce))?.["events"]),
  }));
}

/**
 * Oldest first. What was written down is never changed: of two that claim the same name the earlier one is read, though the ledger puts
 * the later one into its place, as it does with every event; the record tells the contradiction.
 */
export function readAnnotations({ database }: Ledger, experiment: string): EventMessage<"annotation">[] {
  const rows = database
    .prepare(`
      SELECT payload FROM events WHERE experiment = :experiment AND kind = 'annotation'
      UNION SELECT payload FROM contradictions WHERE experiment = :experiment AND kind = 'annotation' ORDER BY payload`)
    .all({ experiment });
  const written = rows
    .map(({ payload }) => readPayload("annotation", String(payload)))
    .sort((a, b) => writtenMs(a) - writtenMs(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
  const firstByName = new Map(written.toReversed().map((annotation) => [annotation.name, annotation]));
  return written.filter((annotation) => firstByName.get(annotation.name) === annotation);
}

function writtenMs({ time }: EventMessage<"annotation">): number {
  return time === undefined ? 0 : timestampMs(time);
}

/** What else claims to be the first transition, with other words: the record looks which of them the run went by. */
function readOtherBeginnings({ database }: Ledger, experiment: string): EventMessage<"state">[] {
  const rows = database
    .prepare(`
      SELECT payload FROM contradictions WHERE experiment = ? AND kind = 'state' AND number = 1 ORDER BY payload`)
    .all(experiment);
  return rows.map(({ payload }) => readPayload("state", String(payload)));
}

function startSeconds({ startTime }: EventMessage<"phase">): number {
  return Number(startTime?.seconds ?? 0n) + (startTime?.nanos ?? 0) / 1e9;
}

/** The report's own announcements are no part of what a report is computed from. */
function readContradictions({ database }: Ledger, experiment: string): Contradiction[] {
  const rows = database
    .prepare(`
      SELECT DISTINCT kind, attempt, number, detail FROM contradictions
      WHERE experiment = ? AND kind <> 'report' ORDER BY kind, attempt, number, detail`)
    .all(experiment);
  return rows.map((row) => ({
    kind: String(row["kind"]),
    attempt: Number(row["attempt"]),
    number: Number(row["number"]),
    detail: String(row["detail"]),
  }));
}
