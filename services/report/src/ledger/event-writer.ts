/**
 * Events into the ledger. Any order and any number of repetitions of the same events leave the same content: an identity
 * that is there already is not inserted again, and of two contents that claim one identity the greater (by time, then by
 * text) is kept, whichever came first; the other is kept aside.
 */
import type { StatementSync } from "node:sqlite";
import { InvalidArgument } from "@pretrain/errors";
import { ArrivalChain } from "./arrival-chain.ts";
import { entryDigest } from "./entry-digest.ts";
import { count, type LedgerEntry, type LedgerEvent, ledgerEntry } from "./ledger-event.ts";
import type { Ledger } from "./open-ledger.ts";
import { checkedRow, type RowValue } from "./row-checksum.ts";
import { stepColumns } from "./step-columns.ts";
import { storeError } from "./store-error.ts";
import { type CheckedTable, checkedColumns } from "./tables.ts";

export class EventWriter {
  readonly #ledger: Ledger;
  readonly #chain: ArrivalChain;
  readonly #insert: StatementSync;
  /** The event with that identity and another content. */
  readonly #other: StatementSync;
  readonly #remove: StatementSync;
  readonly #keepAside: StatementSync;
  readonly #putStep: StatementSync;
  readonly #mark: StatementSync;
  readonly #putMark: StatementSync;
  /** Marks that are in the table: nearly every event carries one of them. */
  readonly #marked = new Set<string>();

  constructor(ledger: Ledger) {
    const { database } = ledger;
    this.#ledger = ledger;
    this.#chain = new ArrivalChain(ledger);
    this.#insert = database.prepare(`${insertionInto("events", "digest")} ON CONFLICT DO NOTHING`);
    this.#other = database.prepare(
      `SELECT position, time_ms AS timeMs, payload, digest FROM events WHERE ${sameIdentity} AND payload <> ?`,
    );
    this.#remove = database.prepare("DELETE FROM events WHERE position = ?");
    this.#keepAside = database.prepare(`${insertionInto("contradictions", "digest")} ON CONFLICT DO NOTHING`);
    this.#putStep = database.prepare(insertionInto("steps").replace("INSERT", "INSERT OR REPLACE"));
    this.#mark = database.prepare("SELECT 1 FROM marks WHERE experiment = ? AND attempt = ? AND nonce = ?");
    this.#putMark = database.prepare(insertionInto("marks").replace("INSERT", "INSERT OR REPLACE"));
  }

  /**
   * Writes the events in one transaction, durable when it returns. An event without an identity is passed over: delivered
   * again and again it would keep all others out.
   * @throws ResourceExhausted when the disk is full, Unavailable when the file cannot be written; nothing is written then
   */
  append(events: readonly LedgerEvent[]): Appended {
    const { database } = this.#ledger;
    const [changed, refused]: [Set<string>, Refusal[]] = [new Set(), []];
    try {
      database.exec("BEGIN IMMEDIATE");
      this.#chain.begin();
      for (const event of events) {
        const entry = entryOrRefusal(event);
        if ("reason" in entry) refused.push(entry);
        else if (this.#appendOne(entry)) changed.add(entry.experiment);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      this.#marked.clear(); // some of them were undone
      throw storeError(error);
    }
    return { changed, refused };
  }

  #appendOne(entry: WritableEntry): boolean {
    const digest = entryDigest(entry);
    const isNew = this.#insertEvent(entry, digest) || this.#resolve(entry, digest);
    if (isNew && entry.stepRow !== undefined) {
      this.#putStep.run(...entry.stepRow);
      this.#ledger.stepChanges.note(entry.experiment, entry.number);
    }
    if (isNew && entry.isMarked) this.#noteMark(entry);
    return isNew;
  }

  #insertEvent(entry: LedgerEntry, digest: Uint8Array): boolean {
    const row = checkedRow([...identity(entry), entry.timeMs, entry.payload]);
    if (this.#insert.run(...row, digest).changes !== 1) return false;
    this.#chain.add(entry, digest);
    return true;
  }

  /** An attempt's own beginning says where it goes on from; of every other event the mark alone is noted. */
  #noteMark({ experiment, attempt, nonce, resumedFrom }: WritableEntry): void {
    const mark = `${experiment}/${attempt}/${nonce}`;
    if (resumedFrom === undefined && this.#marked.has(mark)) return;
    const isKnown = this.#mark.get(experiment, attempt, nonce) !== undefined;
    if (resumedFrom !== undefined || !isKnown) {
      this.#putMark.run(...checkedRow([experiment, attempt, nonce, resumedFrom ?? null]));
    }
    this.#marked.add(mark);
  }

  /** The identity is taken: by the same event, which changes nothing, or by another one. True when `entry` takes its place. */
  #resolve(entry: LedgerEntry, digest: Uint8Array): boolean {
    const known = this.#other.get(...identity(entry), entry.payload);
    if (known === undefined) return false;
    const knownPayload = String(known["payload"]);
    const wins = isGreater(entry, { timeMs: Number(known["timeMs"]), payload: knownPayload });
    const aside = checkedRow([...identity(entry), wins ? knownPayload : entry.payload]);
    const asideDigest = wins ? (known["digest"] as Uint8Array) : digest;
    const isKept = this.#keepAside.run(...aside, asideDigest).changes === 1;
    if (isKept && !wins) this.#chain.add(entry, digest);
    if (!wins) return false;
    this.#remove.run(Number(known["position"]));
    return this.#insertEvent(entry, digest);
  }
}

export interface Appended {
  /** Ids of the experiments whose content changed. */
  readonly changed: ReadonlySet<string>;
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  readonly kind: string;
  readonly reason: string;
}

/** Everything that is written for one event, made before anything is: one that cannot be kept must not stop a batch. */
interface WritableEntry extends LedgerEntry {
  readonly stepRow: RowValue[] | undefined;
  /** True for what an attempt says under its mark. */
  readonly isMarked: boolean;
  /** Only of the event that begins an attempt. */
  readonly resumedFrom: number | undefined;
}

function entryOrRefusal(event: LedgerEvent): WritableEntry | Refusal {
  try {
    const entry = ledgerEntry(event);
    return {
      ...entry,
      stepRow: event.kind === "step" ? checkedRow(stepColumns(entry.experiment, event.message)) : undefined,
      isMarked: "attemptNonce" in event.message,
      resumedFrom: event.kind === "attempt" ? count(event.message.resumedFromMicroStep, event.kind) : undefined,
    };
  } catch (error) {
    if (error instanceof InvalidArgument) return { kind: event.kind, reason: error.message };
    throw error;
  }
}

/** @param further columns that the checksum does not cover */
function insertionInto(table: CheckedTable, ...further: readonly string[]): string {
  const columns = [...checkedColumns[table], "checksum", ...further];
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
}

const sameIdentity = "experiment = ? AND kind = ? AND attempt = ? AND nonce = ? AND number = ? AND detail = ?";

function identity({ experiment, kind, attempt, nonce, number, detail }: LedgerEntry) {
  return [experiment, kind, attempt, nonce, number, detail] as const;
}

type Content = Pick<LedgerEntry, "timeMs" | "payload">;

function isGreater(a: Content, b: Content): boolean {
  return a.timeMs === b.timeMs ? a.payload > b.payload : a.timeMs > b.timeMs;
}
