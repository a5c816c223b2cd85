/** The rule of record/accepted.ts for one row of the table of steps after the other: two look-ups a row, whatever the attempts. */
import type { Resumption } from "../record/accepted.ts";
import type { Ledger } from "./open-ledger.ts";
import { readResumptions } from "./read-history.ts";

export class CountingAttempts {
  readonly #nonces: ReadonlyMap<number, string>;
  readonly #resumptions: readonly Resumption[];
  /** By attempt: the last micro-step that no later attempt computed anew. */
  readonly #limits = new Map<number, number>();

  constructor(nonces: ReadonlyMap<number, string>, resumptions: readonly Resumption[]) {
    this.#nonces = nonces;
    this.#resumptions = resumptions;
  }

  accepts(attempt: number, nonce: string, microStep: number): boolean {
    return this.#nonces.get(attempt) === nonce && microStep <= this.#limitOf(attempt);
  }

  /**
   * The first micro-step from which on other rows may be accepted than by `earlier`; undefined when there is none. The mark of an
   * attempt that was not known is no change of itself: its rows are new too.
   */
  firstChangeSince(earlier: CountingAttempts): number | undefined {
    const hasOtherMark = [...earlier.#nonces].some(([attempt, nonce]) => this.#nonces.get(attempt) !== nonce);
    if (hasOtherMark) return 0;
    const changed = [
      ...missingIn(earlier.#resumptions, this.#resumptions),
      ...missingIn(this.#resumptions, earlier.#resumptions),
    ];
    return changed.length === 0 ? undefined : Math.min(...changed.map(({ resumedFrom }) => resumedFrom)) + 1;
  }

  #limitOf(attempt: number): number {
    const known = this.#limits.get(attempt);
    if (known !== undefined) return known;
    const later = this.#resumptions.filter((resumption) => resumption.attempt > attempt);
    const limit = Math.min(Number.POSITIVE_INFINITY, ...later.map(({ resumedFrom }) => resumedFrom));
    this.#limits.set(attempt, limit);
    return limit;
  }
}

export function readCountingAttempts(ledger: Ledger, experiment: string): CountingAttempts {
  const rows = ledger.database.prepare("SELECT attempt, nonce FROM counted WHERE experiment = ?").all(experiment);
  const nonces = new Map(rows.map(({ attempt, nonce }) => [Number(attempt), String(nonce)]));
  return new CountingAttempts(nonces, readResumptions(ledger, experiment));
}

function missingIn(where: readonly Resumption[], wanted: readonly Resumption[]): Resumption[] {
  const known = new Set(where.map(({ attempt, resumedFrom }) => `${attempt}/${resumedFrom}`));
  return wanted.filter(({ attempt, resumedFrom }) => !known.has(`${attempt}/${resumedFrom}`));
}
