/**
 * Events as the ledger's file and the broker's streams hold them, read without the services' own code: rows of a table,
 * messages by their number, JSON. Whoever reads with the program under test believes its faults.
 */
import { DatabaseSync } from "node:sqlite";
import { connect, type NatsConnection } from "@nats-io/transport-node";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** One event, with the identity that its publisher gave it. */
export interface EventRow {
  readonly kind: string;
  /** `step/{experiment}/{attempt}/{nonce}/{micro-step}`: the same text on the wire, in the stream and here. */
  readonly id: string;
  readonly payload: Json;
}

export interface LedgerContent {
  readonly events: readonly EventRow[];
  /** Identities that two different events have claimed. */
  readonly contradictions: readonly string[];
}

export function ledgerContent(file: string, experiment: string): LedgerContent {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const rows = database
      .prepare("SELECT kind, payload FROM events WHERE experiment = ? ORDER BY position")
      .all(experiment);
    const contradicted = database
      .prepare("SELECT DISTINCT kind, attempt, number, detail FROM contradictions WHERE experiment = ?")
      .all(experiment);
    return {
      events: rows.map((row) => eventRow(experiment, String(row["kind"]), JSON.parse(String(row["payload"])))),
      contradictions: contradicted.map((row) => Object.values(row).filter(String).join("/")),
    };
  } finally {
    database.close();
  }
}

/** Every event of the experiment in a stream, by asking the broker for one message after the other. */
export async function streamContent(brokerUrl: string, experiment: string): Promise<EventRow[]> {
  const connection = await connect({ servers: brokerUrl, name: "oracle" });
  try {
    return [
      ...(await messages(connection, "PRETRAIN_EVENTS", `pretrain.events.${experiment}.*`)),
      ...(await messages(connection, "PRETRAIN_METRICS", `pretrain.metrics.${experiment}.*`)),
    ].map(({ subject, data }) => eventRow(experiment, subject.split(".")[3] ?? "", JSON.parse(data)));
  } finally {
    await connection.close();
  }
}

interface StoredMessage {
  readonly subject: string;
  readonly data: string;
}

async function messages(connection: NatsConnection, stream: string, subject: string): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  for (let sequence = 1; ; ) {
    const question = JSON.stringify({ seq: sequence, next_by_subj: subject });
    const answer = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, question, { timeout: 10_000 });
    const { message, error } = answer.json<{
      message?: { subject: string; seq: number; data?: string };
      error?: { err_code: number; description: string };
    }>();
    if (error?.err_code === 10037) return found; // no message found: that was the last one
    if (message === undefined) throw new Error(`${stream} answers ${error?.description}`);
    found.push({ subject: message.subject, data: Buffer.from(message.data ?? "", "base64").toString() });
    sequence = message.seq + 1;
  }
}

/** What identifies each kind, as the comments of the contracts say. */
const identities: Readonly<Record<string, readonly string[]>> = {
  step: ["attempt", "attemptNonce", "microStep"],
  memory: ["attempt", "attemptNonce", "microStep"],
  profile: ["attempt", "attemptNonce", "microStep"],
  log: ["attempt", "attemptNonce", "number"],
  state: ["sequence"],
  attempt: ["attempt", "attemptNonce"],
  phase: ["attempt", "attemptNonce", "phase"],
  dataset: ["report.manifestSha256", "time"],
  checkpoint: ["attempt", "attemptNonce", "checkpoint.microStep"],
  removal: ["attempt", "attemptNonce", "checkpoint.microStep"],
  evaluation: ["evaluation.name"],
  annotation: ["name"],
  report: ["reportSha256"],
};

function eventRow(experiment: string, kind: string, payload: Json): EventRow {
  const identity = (identities[kind] ?? []).map((path) =>
    path === "time" ? String(Date.parse(textAt(payload, path))) : textAt(payload, path),
  );
  return { kind, payload, id: [kind, experiment, ...identity].join("/") };
}

/** The member at `path` (`evaluation.name`); undefined when there is none. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let found = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || Array.isArray(found)) return undefined;
    found = (found as Readonly<Record<string, Json>>)[name];
  }
  return found;
}

export function textAt(value: Json, path: string): string {
  const found = at(value, path);
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

/** ProtoJSON leaves out zeros, and writes 64-bit counts as text. */
export function numberAt(value: Json, path: string): number {
  return Number(at(value, path) ?? 0);
}
