/** Leases without a broker: whoever has one keeps it until it lets go, or until the test says that it ran out. */
import type { Lease, LeaseOptions } from "@pretrain/leases";

export interface LeasesInMemory {
  acquire(key: string, options: LeaseOptions): Promise<Lease | undefined>;
  /** Time passes in which the holder says nothing: it is overdue, and anybody may take it. */
  expire(key: string): void;
  /** The same for this one, if it has not ended yet. */
  expireOf(lease: Lease): void;
  isHeld(key: string): Promise<boolean>;
}

export function leasesInMemory(): LeasesInMemory {
  const held = new Map<string, Lease & { isOverdue: boolean }>();
  const expire = (key: string) => {
    const lease = held.get(key);
    if (lease !== undefined) lease.isOverdue = true;
    held.delete(key);
  };
  return {
    async acquire(key) {
      if (held.has(key)) return undefined;
      const lease: Lease & { isOverdue: boolean } = {
        isOverdue: false,
        standing: () => (lease.isOverdue ? "overdue" : "held"),
        isFor: () => undefined,
        lost: new AbortController().signal,
        [Symbol.asyncDispose]: async () => void (held.get(key) === lease && held.delete(key)),
      };
      held.set(key, lease);
      return lease;
    },
    expire,
    expireOf(lease) {
      for (const [key, each] of held) if (each === lease) expire(key);
    },
    isHeld: async (key) => held.has(key),
  };
}
