/** What an attempt writes down when it takes an experiment, and the rule by which a hopeless one is given up. */
import { Experiment_Reason as Reason } from "@pretrain/proto";

export interface AttemptClaim {
  readonly experiment: string;
  /** From 1. */
  readonly attempt: number;
  /** Random: tells two claims of one number apart, should a store ever be rolled back. */
  readonly nonce: string;
  /** When, in UTC. */
  readonly time: string;
  /** Micro-step of the checkpoint that it goes on from; 0: from the beginning. */
  readonly resumesFrom: number;
  /** Attempts in a row before this one that ended by a fault and got no further than this one's beginning. */
  readonly fruitless: number;
}

/** More attempts that die at the same place are not made: what ended five will end the sixth. */
export const fruitlessLimit = 5;

/**
 * `fruitless` of the next attempt. One that was asked to stop counts neither way.
 *
 * @param previous the attempt before, if there was one   @param endedBy why it ended
 */
export function fruitlessBefore(previous: AttemptClaim | undefined, endedBy: Reason, resumesFrom: number): number {
  if (previous === undefined || resumesFrom > previous.resumesFrom) return 0;
  return endedBy === Reason.SHUTDOWN ? previous.fruitless : previous.fruitless + 1;
}
