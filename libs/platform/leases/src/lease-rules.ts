/**
 * What a holder may believe of its lease. Pure: times are readings of one monotonic clock, the holder's own, in milliseconds.
 *
 *     asked                   answered            asked + TTL           the broker's expiry
 *       │──── the broker writes ──│ ─ ─ ─ ─ ─ ─ ─ ─ ─ │ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ │
 *       └──────────────── held ───────────────────────┘        overdue           └ somebody else may take it
 *
 * The holder counts from before it asked and the broker from after that, so what the holder believes ends first, whatever the
 * two clocks show. That holds while both run at one speed; where they do not, the fence of the attempt's claim still does.
 */
/** `overdue`: nobody may have it yet, and perhaps somebody has. `lost`: somebody else has it. */
export type Standing = "held" | "overdue" | "lost";

/** Until when a lease is surely ours that was asked for at `askedAt` and granted. */
export function heldUntil(askedAt: number, ttlMs: number): number {
  return askedAt + ttlMs;
}

export function standingAt(now: number, until: number): Standing {
  return now < until ? "held" : "overdue";
}

/**
 * What a refused renewal means, by the nonce of the lease that the broker holds now. A revision is not enough: a broker whose disk was replaced by an older one
 * gives the same number to two leases.
 *
 * `ours`: our last renewal was written though its answer was lost; it goes on from there. `free`: it expired, and can be taken again if
 * nobody has begun since. `theirs`: it is lost.
 */
export function afterRefusal(foundNonce: string | undefined, nonce: string): "ours" | "free" | "theirs" {
  if (foundNonce === undefined) return "free";
  return foundNonce === nonce ? "ours" : "theirs";
}
