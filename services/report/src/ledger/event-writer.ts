/**
 * Events into the ledger. Any order and any number of repetitions of the same events leave the same content: an identity
 * that is there already is not inserted again, and of two contents that claim one identity the greater (by time, then by
 * text) is kept, whichever came first; the other is kept aside.
 */
import type { StatementSync } from "node:sqlite";
import { InvalidArgument } from "@pretrain/errors";
import { type LedgerEntry, type LedgerEvent, ledgerEntry } from "./ledger-event.ts";
import type { Ledger } from "./open-ledger.ts";
import { stepColumns } from "./step-columns.ts";
import { storeError } from "./store-error.ts";

export class EventWriter {
  readonly #ledger: Ledger;
  readonly #insert: StatementSync;
  readonly #known: StatementSync;
  readonly #remove: StatementSync;
  readonly #keepAside: StatementSync;
  readonly #putStep: StatementSync;
  readonly #putAttempt: StatementSync;

  constructor(ledger: Ledger) {
    const { database } = ledger;
    this.#ledger = ledger;
    this.#insert = database.prepare(`
      INSERT INTO events (experiment, kind, attempt, number, detail, time_ms, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`);
    this.#known = database.prepare(`SELECT position, time_ms AS timeMs, payload FROM events WHERE ${sameIdentity}`);
    this.#remove = database.prepare("DELETE FROM events WHERE position = ?");
    this.#keepAside = database.prepare("INSERT OR IGNORE INTO contradictions VALUES (?, ?, ?, ?, ?, ?)");
    this.#putAttempt = database.prepare("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)");
    this.#putStep = database.prepare(`INSERT OR REPLACE INTO steps VALUES (${Array(19).fill("?").join(", ")})`);
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
      for (const event of events) {
        const entry = entryOrRefusal(event);
        if ("reason" in entry) refused.push(entry);
        else if (this.#appendOne(event, entry)) changed.add(entry.experiment);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw storeError(error);
    }
    return { changed, refused };
  }

  #appendOne(event: LedgerEvent, entry: LedgerEntry): boolean {
    const isNew = this.#insertEvent(entry) || this.#resolve(entry);
    if (isNew && event.kind === "step") this.#putStep.run(...stepColumns(entry.experiment, event.message));
    if (isNew && event.kind === "attempt") {
      this.#putAttempt.run(entry.experiment, entry.attempt, Number(event.message.resumedFromMicroStep));
    }
    return isNew;
  }

  #insertEvent(entry: LedgerEntry): boolean {
    return this.#insert.run(...identity(entry), entry.timeMs, entry.payload).changes === 1;
  }

  /** The identity is taken: by the same event, which changes nothing, or by another one. True when `entry` takes its place. */
  #resolve(entry: LedgerEntry): boolean {
    const known = this.#known.get(...identity(entry));
    if (known === undefined || known["payload"] === entry.payload) return false;
    const knownPayload = String(known["payload"]);
    const wins = isGreater(entry, { timeMs: Number(known["timeMs"]), payload: knownPayload });
    this.#keepAside.run(...identity(entry), wins ? knownPayload : entry.payload);
    if (!wins) return false;
    this.#remove.run(Number(known["position"]));
    return this.#insertEvent(entry);
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

function entryOrRefusal(event: LedgerEvent): LedgerEntry | Refusal {
  try {
    return ledgerEntry(event);
  } catch (error) {
    if (error instanceof InvalidArgument) return { kind: event.kind, reason: error.message };
    throw error;
  }
}

const sameIdentity = "experiment = ? AND kind = ? AND attempt = ? AND number = ? AND detail = ?";

function identity({ experiment, kind, attempt, number, detail }: LedgerEntry) {
  return [experiment, kind, attempt, number, detail] as const;
}

type Content = Pick<LedgerEntry, "timeMs" | "payload">;

function isGreater(a: Content, b: Content): boolean {
  return a.timeMs === b.timeMs ? a.payload > b.payload : a.timeMs > b.timeMs;
}
