/** `events`: every row that the ledger has of an experiment is as it was written, and is the event that it says it is. */

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { setImmediate as breath } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import { events, type KindName } from "@pretrain/events";
import type { StepMetric, Verification_Check } from "@pretrain/proto";
import { hexOf } from "../ledger/canonical-chain.ts";
import { claimEntry } from "../ledger/claims.ts";
import { type ChainEntry, entryDigest, entryName } from "../ledger/entry-digest.ts";
import { eventIdentity, type LedgerEvent, timeOf } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readPayload } from "../ledger/read-history.ts";
import { checkedRow, rowChecksum } from "../ledger/row-checksum.ts";
import { stepColumns } from "../ledger/step-columns.ts";
import { type CheckedTable, checkedColumns } from "../ledger/tables.ts";
import { checked, type Found, maximumDifferences } from "./check.ts";

type Row = Record<string, SQLOutputValue>;

/** 20 ms of reading: others are served in between. */
const pageRows = 500;

export async function checkEvents({ database }: Ledger, experiment: string): Promise<Verification_Check> {
  const found = faultOfStepCount(database, experiment);
  const counts: string[] = [];
  for (const [table, faultOf] of Object.entries(tables(database))) {
    let count = 0;
    for (const rows of pages(database, table as CheckedTable, experiment)) {
      count += rows.length;
      for (const row of rows) {
        const fault = faultOfChecksum(table as CheckedTable, row) ?? faultOf(row);
        if (fault !== undefined && found.length < maximumDifferences)
          found.push({ place: placeOf(table, row), ...fault });
      }
      await breath();
    }
    counts.push(`${count} ${table}`);
  }
  return checked("events", counts.join(", "), found);
}

type Fault = Pick<Found, "recorded" | "computed">;

function tables(database: DatabaseSync): Partial<Record<CheckedTable, (row: Row) => Fault | undefined>> {
  const columns = [...checkedColumns.steps, "checksum"].join(", ");
  const step = database.prepare(
    `SELECT ${columns} FROM steps WHERE experiment = ? AND micro_step = ? AND attempt = ? AND nonce = ?`,
  );
  step.setReturnArrays(true);
  return {
    events: (row) => faultOfDigest(row, row as unknown as ChainEntry) ?? faultOfEvent(row, step),
    contradictions: (row) => faultOfDigest(row, row as unknown as ChainEntry),
    claims: (row) => faultOfDigest(row, claimOf(row)),
    marks: () => undefined,
  };
}

/** In the order of the table's own key, so that the ledger may be written in between. */
function* pages(database: DatabaseSync, table: CheckedTable, experiment: string): Generator<Row[]> {
  const key = keys[table] ?? [];
  const [names, places] = [key.join(", "), key.map(() => "?").join(", ")];
  const first = database.prepare(`SELECT * FROM ${table} WHERE experiment = ? ORDER BY ${names} LIMIT ${pageRows}`);
  const next = database.prepare(
    `SELECT * FROM ${table} WHERE experiment = ? AND (${names}) > (${places}) ORDER BY ${names} LIMIT ${pageRows}`,
  );
  for (let rows = first.all(experiment); rows.length > 0; ) {
    yield rows;
    const last = rows.at(-1);
    rows = next.all(experiment, ...key.map((column) => (last?.[column] ?? null) as SQLInputValue));
  }
}

const keys: Partial<Record<CheckedTable, readonly string[]>> = {
  events: ["kind", "attempt", "number", "nonce", "detail"],
  contradictions: ["kind", "attempt", "nonce", "number", "detail", "payload"],
  claims: ["attempt"],
  marks: ["attempt", "nonce"],
};

function faultOfChecksum(table: CheckedTable, row: Row): Fault | undefined {
  const computed = rowChecksum(checkedColumns[table].map((column) => row[column]));
  if (row["checksum"] === computed) return undefined;
  return { recorded: `checksum ${String(row["checksum"])}`, computed: `checksum ${computed}` };
}

function faultOfDigest(row: Row, entry: ChainEntry): Fault | undefined {
  const [recorded, computed] = [row["digest"], entryDigest(entry)];
  if (recorded instanceof Uint8Array && computed.compare(recorded) === 0) return undefined;
  return { recorded: recorded instanceof Uint8Array ? hexOf(recorded) : String(recorded), computed: hexOf(computed) };
}

function claimOf(row: Row): ChainEntry {
  return claimEntry({
    experiment: String(row["experiment"]),
    attempt: Number(row["attempt"]),
    nonce: String(row["nonce"]),
    resumesFrom: Number(row["resumes_from"]),
  });
}

/** What its payload says of it must be what stands beside it, and of a step the same as in the table of steps. */
function faultOfEvent(row: Row, steps: StatementSync): Fault | undefined {
  const kind = String(row["kind"]) as KindName;
  try {
    if (!Object.hasOwn(events, kind)) return { recorded: kind, computed: "no kind of event" };
    const message = readPayload(kind, String(row["payload"]));
    const event = { kind, message } as LedgerEvent;
    const should = { ...eventIdentity(event), time_ms: timeOf(event) };
    const differing = Object.entries(should).find(([column, value]) => row[column] !== value);
    if (differing !== undefined) return { recorded: String(row[differing[0]]), computed: String(differing[1]) };
    return event.kind === "step" ? faultOfStep(steps, should.experiment, event.message) : undefined;
  } catch (error) {
    return { recorded: String(row["payload"]), computed: messageOf(error) };
  }
}

function faultOfStep(steps: StatementSync, experiment: string, step: StepMetric): Fault | undefined {
  const should = checkedRow(stepColumns(experiment, step));
  const row = steps.get(experiment, Number(step.microStep), step.attempt, step.attemptNonce) as unknown as
    | SQLOutputValue[]
    | undefined;
  const index = should.findIndex((value, column) => row?.[column] !== value);
  if (index < 0) return undefined;
  const column = checkedColumns.steps[index] ?? "checksum";
  return { recorded: `steps.${column} ${String(row?.[index] ?? "is not there")}`, computed: String(should[index]) };
}

/** A row that no event vouches for would be counted all the same. */
function faultOfStepCount(database: DatabaseSync, experiment: string): Found[] {
  const count = (table: string) =>
    Number(database.prepare(`SELECT COUNT(*) AS rows FROM ${table}`).get({ experiment })?.["rows"]);
  const rows = count("steps WHERE experiment = :experiment");
  const steps = count("events WHERE experiment = :experiment AND kind = 'step'");
  return rows === steps ? [] : [{ place: "steps", recorded: `${rows} rows`, computed: `${steps} events of steps` }];
}

function placeOf(table: string, row: Row): string {
  if (table === "events") return entryName(row as unknown as ChainEntry);
  const key = keys[table as CheckedTable] ?? [];
  return [table, ...key.filter((column) => column !== "payload").map((column) => row[column])].join("/");
}
