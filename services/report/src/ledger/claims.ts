/** Copies of the claims of attempts: the blob store says who holds the number of an attempt, whatever events say. */
import { ArrivalChain } from "./arrival-chain.ts";
import { type ChainEntry, claimKind, entryDigest } from "./entry-digest.ts";
import type { Ledger } from "./open-ledger.ts";
import { checkedRow } from "./row-checksum.ts";
import { storeError } from "./store-error.ts";

/** A number of an attempt. */
export interface AttemptNumber {
  /** Canonical id. */
  readonly experiment: string;
  /** From 1. */
  readonly attempt: number;
}

export interface ClaimedAttempt extends AttemptNumber {
  readonly nonce: string;
  /** Micro-step of the checkpoint that it goes on from. */
  readonly resumesFrom: number;
}

/** Durable when it returns. @throws as `EventWriter.append` */
export function addClaims(ledger: Ledger, claims: readonly ClaimedAttempt[]): void {
  const { database } = ledger;
  const chain = new ArrivalChain(ledger);
  const known = database.prepare("SELECT 1 FROM claims WHERE experiment = ? AND attempt = ? AND digest = ?");
  const put = database.prepare("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)");
  try {
    database.exec("BEGIN IMMEDIATE");
    chain.begin();
    for (const claim of claims) {
      const { experiment, attempt, nonce, resumesFrom } = claim;
      const entry = claimEntry(claim);
      const digest = entryDigest(entry);
      if (known.get(experiment, attempt, digest) !== undefined) continue;
      put.run(...checkedRow([experiment, attempt, nonce, resumesFrom]), digest);
      chain.add(entry, digest);
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw storeError(error);
  }
}

/** As it stands in the chains. */
export function claimEntry({ experiment, attempt, nonce, resumesFrom }: ClaimedAttempt): ChainEntry {
  return { experiment, kind: claimKind, attempt, nonce, number: resumesFrom, detail: "", payload: "" };
}

/** Attempts that something was heard of and whose claim is not in the ledger. */
export function unclaimedAttempts({ database }: Ledger): AttemptNumber[] {
  const rows = database
    .prepare(`
      SELECT DISTINCT experiment, attempt FROM marks AS m WHERE attempt > 0 AND NOT EXISTS (
        SELECT 1 FROM claims AS c WHERE c.experiment = m.experiment AND c.attempt = m.attempt)`)
    .all();
  return rows.map((row) => ({ experiment: String(row["experiment"]), attempt: Number(row["attempt"]) }));
}

export function hasClaim({ database }: Ledger, { experiment, attempt }: AttemptNumber): boolean {
  const known = database.prepare("SELECT 1 FROM claims WHERE experiment = ? AND attempt = ?");
  return known.get(experiment, attempt) !== undefined;
}
