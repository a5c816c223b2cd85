/**
 * Which checkpoints a recipe keeps. With `keep_last` 2, `keep_best` 1 and `keep_every` 100, of a run whose losses fall and rise:
 *
 *     micro-step    40    80   120   160   200   240
 *     nats         3.1   2.9   2.2   2.4   2.5   2.6
 *     kept by                 best        every  newest
 *                             every       last   last        40, 80 and 160 are removed
 *
 * A function of what was measured; it knows no clock and no store.
 */

export interface Retention {
  readonly keepLast: number;
  readonly keepBest: number;
  /** In micro-steps. */
  readonly keepEvery: number;
}

export interface KnownCheckpoint {
  readonly microStep: number;
  readonly final: boolean;
  /** Undefined while no evaluation of it has ended; its loss is undefined when the evaluation gave none. */
  readonly result: { readonly lossNatsPerToken: number | undefined } | undefined;
}

/** Whether any checkpoint may ever be removed. */
export function removesAny({ keepLast, keepBest, keepEvery }: Retention): boolean {
  return keepLast + keepBest + keepEvery > 0;
}

/**
 * Micro-steps of those to remove, ascending.
 *
 * @param there by micro-step   @param removed micro-steps of those that were removed before: they decide which one is the first
 *   at or behind a multiple
 */
export function toRemove(
  there: readonly KnownCheckpoint[],
  removed: readonly number[],
  retention: Retention,
): readonly number[] {
  if (!removesAny(retention)) return [];
  const steps = there.map(({ microStep }) => microStep);
  const kept = new Set([
    ...steps.slice(-Math.max(1, retention.keepLast)), // an attempt goes on from the newest, whatever the recipe says
    ...bestOf(there, retention.keepBest),
    ...firstOfEach([...steps, ...removed], retention.keepEvery),
  ]);
  return there
    .filter(({ microStep, final, result }) => result !== undefined && !final && !kept.has(microStep))
    .map(({ microStep }) => microStep);
}

/** Micro-steps of the `count` with the lowest losses, the lowest first; of equal ones the earlier. */
export function bestOf(there: readonly KnownCheckpoint[], count: number): number[] {
  const measured = there.flatMap(({ microStep, result }) => {
    const loss = result?.lossNatsPerToken;
    return loss === undefined ? [] : [{ microStep, loss }];
  });
  measured.sort((a, b) => a.loss - b.loss || a.microStep - b.microStep);
  return measured.slice(0, count).map(({ microStep }) => microStep);
}

/** The first at or behind each multiple of `every`, itself no multiple's if it lies before the first one. */
function firstOfEach(steps: readonly number[], every: number): number[] {
  if (every === 0) return [];
  const sorted = steps.toSorted((a, b) => a - b).filter((step) => step >= every);
  return sorted.filter((step, i) => {
    const before = sorted[i - 1];
    return before === undefined || Math.floor(before / every) < Math.floor(step / every);
  });
}
