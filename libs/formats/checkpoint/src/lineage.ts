/**
 * Which checkpoints count. A checkpoint of attempt *a* at micro-step *n* counts only if *n* is not above what any later
 * attempt's claim goes on from:
 *
 *     attempt 1   0 ──── 20 ──── 40 ─ ─ ─ 60        a process that was paused writes 60 after attempt 2 has begun:
 *     attempt 2                  40 ──── 60 ───     2 goes on from 40, so the first one's 60 never counts
 *
 * A function of claims and keys alone. Nobody has to be told to stop, and no clock is asked: whoever was only asleep changes
 * nothing by what it writes, however late.
 */

/** A checkpoint as its key says it. */
export interface Written {
  readonly attempt: number;
  readonly microStep: number;
}

/** What a claim says of earlier attempts' checkpoints. */
export interface Resumption {
  readonly attempt: number;
  /** Micro-step of the checkpoint that it goes on from; 0: from the beginning. */
  readonly resumesFrom: number;
}

/** The test whether a checkpoint counts, in the light of these claims, in any order. */
export function lineage(claims: readonly Resumption[]): (written: Written) => boolean {
  const latestFirst = claims.toSorted((a, b) => b.attempt - a.attempt);
  // Of each claim the least that it and all later ones go on from.
  let least = Number.POSITIVE_INFINITY;
  const bounds = latestFirst.map(({ attempt, resumesFrom }) => {
    least = Math.min(least, resumesFrom);
    return { attempt, least };
  });
  return ({ attempt, microStep }) => {
    const firstLater = bounds.findLast((bound) => bound.attempt > attempt);
    return firstLater === undefined || microStep <= firstLater.least;
  };
}
