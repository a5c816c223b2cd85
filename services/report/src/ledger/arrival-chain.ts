/** The chain of each experiment in order of arrival: a link for every event and claim that came, also for one that was replaced. */
import type { StatementSync } from "node:sqlite";
import { type ChainEntry, entryName, nextLink, noLink } from "./entry-digest.ts";
import type { Ledger } from "./open-ledger.ts";

interface End {
  readonly ordinal: number;
  readonly head: Uint8Array;
}

/** Writes links inside the transaction of what they are for: an event without its link, or a link without its event, is never seen. */
export class ArrivalChain {
  readonly #last: StatementSync;
  readonly #put: StatementSync;
  /** Ends of the chains, by experiment, as far as this transaction has seen them. */
  readonly #ends = new Map<string, End>();

  constructor({ database }: Ledger) {
    this.#last = database.prepare("SELECT ordinal, head FROM links WHERE experiment = ? ORDER BY ordinal DESC LIMIT 1");
    this.#put = database.prepare("INSERT INTO links VALUES (?, ?, ?, ?, ?)");
  }

  /** @param digest of the entry */
  add(entry: Omit<ChainEntry, "payload">, digest: Uint8Array): void {
    const { experiment } = entry;
    const before = this.#ends.get(experiment) ?? this.#endOf(experiment);
    const end = { ordinal: before.ordinal + 1, head: nextLink(before.head, digest) };
    this.#put.run(experiment, end.ordinal, entryName(entry), digest, end.head);
    this.#ends.set(experiment, end);
  }

  /** Called at the beginning of each transaction: what another writer added, or what was undone, is looked up then. */
  begin(): void {
    this.#ends.clear();
  }

  #endOf(experiment: string): End {
    const row = this.#last.get(experiment);
    if (row === undefined) return { ordinal: 0, head: noLink };
    return { ordinal: Number(row["ordinal"]), head: row["head"] as Uint8Array };
  }
}

/** How many links the chain of an experiment has: grows with everything that comes. */
export function countOfLinks({ database }: Ledger, experiment: string): number {
  const row = database.prepare("SELECT MAX(ordinal) AS links FROM links WHERE experiment = ?").get(experiment);
  return Number(row?.["links"] ?? 0);
}
