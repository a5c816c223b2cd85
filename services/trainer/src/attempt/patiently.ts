/** Asking somebody who may be away for a while. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, Unavailable } from "@pretrain/errors";
import { Experiment_Reason as Reason } from "@pretrain/proto";
import { AttemptFault } from "./faults.ts";

const firstBackoffMs = 200;
const longestBackoffMs = 10_000;
export const patienceMs = 10 * 60_000;

/**
 * The answer of `ask`, asked again with growing pauses while nobody is there.
 *
 * @param onWait hears, once, why it is not answered yet
 * @throws AttemptFault after ten minutes; whatever else `ask` throws; the signal's reason
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onWait: (reason: string) => void = () => undefined,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(longestBackoffMs, 2 * backoffMs)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (backoffMs === firstBackoffMs) onWait(messageOf(error));
      if (performance.now() > deadline) throw new AttemptFault(Reason.UNSPECIFIED, messageOf(error));
    }
    await pause(backoffMs, undefined, { signal });
  }
}
