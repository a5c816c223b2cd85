/** The rule by which a hopeless experiment is given up. */
import type { AttemptClaim } from "@pretrain/checkpoint";
import { Experiment_Reason as Reason } from "@pretrain/proto";

/** More attempts that die at the same place are not made: what ended five will end the sixth. */
export const fruitlessLimit = 5;

/**
 * `fruitless` of the next attempt. One that was asked to stop, or that waits for room, counts neither way.
 *
 * @param previous the attempt before, if there was one   @param endedBy why it ended
 */
export function fruitlessBefore(previous: AttemptClaim | undefined, endedBy: Reason, resumesFrom: number): number {
  if (previous === undefined || resumesFrom > previous.resumesFrom) return 0;
  return isFault(endedBy) ? previous.fruitless + 1 : previous.fruitless;
}

/** Whether an attempt that ended for this reason met something that may end the next one too. */
export function isFault(reason: Reason): boolean {
  const wished: readonly Reason[] = [Reason.USER, Reason.SHUTDOWN, Reason.PREEMPTED, Reason.OUT_OF_RESOURCES];
  return !wished.includes(reason);
}
