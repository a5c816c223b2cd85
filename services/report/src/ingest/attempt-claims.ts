/**
 * Brings the claims of attempts from the blob store into the ledger: what carries another mark than its claim does not count. A
 * claim is created before its attempt says a word, so it is there when the first event is; a store that is away is asked again.
 */
import type { BlobStore } from "@pretrain/blobs";
import { readClaim } from "@pretrain/checkpoint";
import { DataLoss, messageOf, NotFound } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type AttemptNumber, addClaims, type ClaimedAttempt, hasClaim, unclaimedAttempts } from "../ledger/claims.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";

export interface ClaimSources {
  readonly ledger: Ledger;
  readonly blobs: BlobStore;
  readonly log: Log;
}

/** Looked up at once at most; the others with the next events. */
const lookUpLimit = 64;

export class AttemptClaims {
  readonly #sources: ClaimSources;
  /** By `experiment/attempt`: to be looked up. */
  readonly #wanted = new Map<string, AttemptNumber>();
  /** Looked up, and there is nothing: it will not come later. */
  readonly #absent = new Set<string>();

  constructor(sources: ClaimSources) {
    this.#sources = sources;
    for (const number of unclaimedAttempts(sources.ledger)) this.#want(number);
  }

  /** @returns the experiments for which a claim is known now that was not before. @throws as `addClaims` */
  async of(events: readonly LedgerEvent[]): Promise<ReadonlySet<string>> {
    for (const number of attemptsOf(events)) this.#want(number);
    return this.lookUp();
  }

  /** Whether some could not be looked up. */
  get areWanted(): boolean {
    return this.#wanted.size > 0;
  }

  /** @returns as `of` */
  async lookUp(): Promise<ReadonlySet<string>> {
    const found: ClaimedAttempt[] = [];
    for (const [key, number] of [...this.#wanted].slice(0, lookUpLimit)) {
      const claim = await this.#claimOf(number);
      if (claim === "unknown") break; // the store is away: the others would wait for it as long
      this.#wanted.delete(key);
      if (claim === "absent") this.#absent.add(key);
      else found.push(claim);
    }
    if (found.length > 0) addClaims(this.#sources.ledger, found);
    return new Set(found.map(({ experiment }) => experiment));
  }

  #want(number: AttemptNumber): void {
    const key = `${number.experiment}/${number.attempt}`;
    if (this.#wanted.has(key) || this.#absent.has(key) || hasClaim(this.#sources.ledger, number)) return;
    this.#wanted.set(key, number);
  }

  async #claimOf({ experiment, attempt }: AttemptNumber): Promise<ClaimedAttempt | "absent" | "unknown"> {
    const { blobs, log } = this.#sources;
    try {
      const { nonce, resumesFrom } = await readClaim(blobs, experiment, attempt);
      return { experiment, attempt, nonce, resumesFrom };
    } catch (error) {
      if (error instanceof NotFound) return "absent";
      log.error({ experiment, attempt, reason: messageOf(error) }, "the claim of an attempt cannot be read");
      return error instanceof DataLoss ? "absent" : "unknown";
    }
  }
}

/** Attempts that these events speak of, also where only a transition does: one that fell silent at once says nothing itself. */
function attemptsOf(events: readonly LedgerEvent[]): AttemptNumber[] {
  const found = new Map<string, AttemptNumber>();
  for (const { message } of events) {
    if (!("attempt" in message) || message.attempt < 1) continue;
    const experiment = message.experiment.replace(/^experiments\//, "");
    found.set(`${experiment}/${message.attempt}`, { experiment, attempt: message.attempt });
  }
  return [...found.values()];
}
