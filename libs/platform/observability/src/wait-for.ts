/** Services start in any order: what one cannot do without is waited for, and the log says what that is. */
import { setTimeout as pause } from "node:timers/promises";
import { FailedPrecondition, messageOf, ResourceExhausted, Unavailable } from "@pretrain/errors";
import type { Log } from "./log.ts";

const firstBackoffMs = 250;
const longestBackoffMs = 10_000;

/**
 * What `ask` gives, asked again with growing pauses while it is not there, not ready, or has no room. A signal ends the process
 * meanwhile: nothing is open yet that would have to be closed.
 *
 * @param what for a person, such as `the broker`   @throws whatever else `ask` throws: waiting would not mend that
 */
export async function waitFor<T>(what: string, ask: () => Promise<T>, log: Log): Promise<T> {
  const began = performance.now();
  for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(longestBackoffMs, 2 * backoffMs)) {
    try {
      const found = await ask();
      const waitedMs = Math.round(performance.now() - began);
      if (backoffMs > firstBackoffMs) log.info({ what, waitedMs }, `${what} is there`);
      return found;
    } catch (error) {
      if (!mayMendItself(error)) throw error;
      log.warn({ what, reason: messageOf(error), nextTryMs: backoffMs }, `waits for ${what}`);
    }
    await pause(backoffMs);
  }
}

function mayMendItself(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof FailedPrecondition || error instanceof ResourceExhausted;
}
