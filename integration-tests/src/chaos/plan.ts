/** What happens when: a pure function of the seed. Only how long things take is the machine's. */
import { SeededRandom } from "./seeded-random.ts";

/** One fault, and the moment for it. */
export interface Round<Kind extends string = string> {
  /** From 1. */
  readonly number: number;
  readonly fault: Kind;
  /** First a checkpoint of the running experiment, then the events counted below. */
  readonly awaitsCheckpoint: boolean;
  /** Events of the running experiment since the fault before was over. */
  readonly afterEvents: number;
  /** And so long after the last of them, in milliseconds. */
  readonly delayMs: number;
  /** How long a fault that lasts does last, in milliseconds. */
  readonly lastingMs: number;
  /** In [0, 1): where, for a fault that has a place. */
  readonly place: number;
}

/** @returns rounds in which every kind comes up before one comes up again */
export function planOf<Kind extends string>(seed: string, rounds: number, kinds: readonly Kind[]): Round<Kind>[] {
  const random = new SeededRandom(seed);
  const deck: Kind[] = [];
  while (deck.length < rounds) deck.push(...random.shuffled(kinds));
  return deck.slice(0, rounds).map((fault, index) => ({
    number: index + 1,
    fault,
    // An experiment is given up when five attempts in a row get nowhere; so every second one is let get somewhere.
    awaitsCheckpoint: index % 2 === 1,
    afterEvents: random.integer(0, 40),
    delayMs: random.integer(0, 60),
    lastingMs: random.integer(50, 1500),
    place: random.fraction(),
  }));
}
