/** Rounds in turn, A B C A B C: what slows the machine down for a minute slows all of them down. */

/** @returns of each contender what its rounds gave, in the order of the contenders */
export async function alternate<C, R>(
  contenders: readonly C[],
  rounds: number,
  run: (contender: C) => Promise<R>,
): Promise<R[][]> {
  const results: R[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) results[index]?.push(await run(contender));
  }
  return results;
}

/** Units of work in a round, so that the fastest contender works for three seconds: short ones measure the scheduler. */
export function unitsInRound(secondsOfUnit: readonly number[]): number {
  return Math.min(200, Math.max(1, Math.ceil(3 / Math.min(...secondsOfUnit))));
}
