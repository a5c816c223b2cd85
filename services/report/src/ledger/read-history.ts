/** The history of one experiment, as the record's domain reads it. */
import { fromJsonString } from "@bufbuild/protobuf";
import { type EventMessage, events, type KindName } from "@pretrain/events";
import { experimentName } from "@pretrain/recipe";
import type { Contradiction, History } from "../record/history.ts";
import { isKnown } from "./is-known.ts";
import type { Ledger } from "./open-ledger.ts";
import { readSteps } from "./read-steps.ts";

/** Undefined when the ledger holds no event of that experiment. Its steps are read from the file while they are iterated. */
export function readHistory(ledger: Ledger, experiment: string): History | undefined {
  if (!isKnown(ledger, experiment)) return undefined;
  return {
    experiment: experimentName(experiment),
    transitions: readEvents(ledger, experiment, "state"),
    attempts: readEvents(ledger, experiment, "attempt"),
    phases: readEvents(ledger, experiment, "phase").sort(
      (a, b) => a.attempt - b.attempt || startSeconds(a) - startSeconds(b),
    ),
    datasets: readEvents(ledger, experiment, "dataset"),
    checkpoints: readEvents(ledger, experiment, "checkpoint"),
    evaluations: readEvents(ledger, experiment, "evaluation"),
    memory: readEvents(ledger, experiment, "memory"),
    log: readEvents(ledger, experiment, "log"),
    contradictions: readContradictions(ledger, experiment),
    steps: { [Symbol.iterator]: () => readSteps(ledger, experiment) },
  };
}

/** All events of one kind, by attempt and number; of those that have neither (datasets) by time. */
export function readEvents<K extends KindName>({ database }: Ledger, experiment: string, kind: K): EventMessage<K>[] {
  const rows = database
    .prepare("SELECT payload FROM events WHERE experiment = ? AND kind = ? ORDER BY attempt, number, time_ms, detail")
    .all(experiment, kind);
  return rows.map((row) => readPayload(kind, String(row["payload"])));
}

/** @throws Error when the text is not what the ledger wrote */
export function readPayload<K extends KindName>(kind: K, payload: string): EventMessage<K> {
  const schema: (typeof events)[K]["schema"] = events[kind].schema;
  return fromJsonString(schema, payload, { ignoreUnknownFields: true });
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
