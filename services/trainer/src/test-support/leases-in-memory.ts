/** Leases without a broker: whoever has one keeps it until it lets go, or until the test says that it ran out. */
import type { Lease, LeaseOptions } from "@pretrain/leases";

export interface LeasesInMemory {
  acquire(key: string, options: LeaseOptions): Promise<Lease | undefined>;
  /** Time passes in which the holder says nothing: it is overdue, and anybody may take it. */
  expire(key: string): void;
}

export function leasesInMemory(): LeasesInMemory {
  const held = new Map<string, { isOverdue: boolean; readonly lost: AbortController }>();
  return {
    async acquire(key) {
      if (held.has(key)) return undefined;
      const lease = { isOverdue: false, lost: new AbortController() };
      held.set(key, lease);
      return {
        standing: () => (lease.lost.signal.aborted ? "lost" : lease.isOverdue ? "overdue" : "held"),
        isFor: () => undefined,
        lost: lease.lost.signal,
        [Symbol.asyncDispose]: async () => void (held.get(key) === lease && held.delete(key)),
      };
    },
    expire(key) {
      const lease = held.get(key);
      if (lease !== undefined) lease.isOverdue = true;
      held.delete(key);
    },
  };
}
