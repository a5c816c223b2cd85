/** Whose steps count: of each micro-step the highest attempt that computed it. */

import type { BlobStore } from "@pretrain/blobs";
import { type AttemptClaim, readClaim } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";

export type Claim = Pick<AttemptClaim, "attempt" | "resumesFrom">;

/**
 * The attempts that computed the micro-steps behind `from` up to `to`, the last one first:
 *
 *     attempt 1   0 ── 4 ── 8 ─ ─ 11       1 was killed behind 11, 2 goes on from 8, 3 from 12
 *     attempt 2             8 ──── 12 ─ ─
 *     attempt 3                    12 ──── 15
 *
 *     behind 4 up to 10: 2, 1              behind 12 up to 13: 3
 *
 * @param latestFirst claims of attempts that trained, or of which it is not known
 */
export function countingAttempts(latestFirst: readonly Claim[], from: number, to: number): number[] {
  const counting: number[] = [];
  let upTo = to;
  for (const { attempt, resumesFrom } of latestFirst) {
    if (upTo <= from) break;
    if (resumesFrom >= upTo) continue;
    counting.push(attempt);
    upTo = resumesFrom;
  }
  return counting;
}

/** The claims of `last` and the attempts before it, back to the first that begins at or before `from`. */
export async function claimsBack(blobs: BlobStore, experiment: string, last: number, from: number): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (let attempt = last; attempt > 0; attempt -= 1) {
    const claim = await claimOf(blobs, experiment, attempt);
    if (claim === undefined) continue;
    claims.push(claim);
    if (claim.resumesFrom <= from) break;
  }
  return claims;
}

/** Of one that cannot be read, as which checkpoints count has it: from the beginning. */
async function claimOf(blobs: BlobStore, experiment: string, attempt: number): Promise<Claim | undefined> {
  try {
    return await readClaim(blobs, experiment, attempt);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    if (error instanceof DataLoss) return { attempt, resumesFrom: 0 };
    throw error;
  }
}
