/**
 * Which of several attempts' results count. An attempt that goes on from micro-step r computes everything after r anew:
 *
 *     attempt 1   1 2 3 4 5 6 7          vanished after 7; its last checkpoint was at 4
 *     attempt 2           5 6 ·          resumed from 4
 *     accepted    1 2 3 4 5 6            7 of attempt 1 led nowhere: its weights are lost
 *
 * What is not accepted stays in the ledger.
 */

/** Where a result stands: which attempt computed it, after which micro-step. */
export interface Place {
  readonly attempt: number;
  readonly microStep: number;
}

/** An attempt's beginning. */
export interface Resumption {
  readonly attempt: number;
  /** Micro-step of the checkpoint that it went on from; 0: from the beginning. */
  readonly resumedFrom: number;
}

/** True when no later attempt began before this place. */
export function isAccepted({ attempt, microStep }: Place, resumptions: readonly Resumption[]): boolean {
  return !resumptions.some((later) => later.attempt > attempt && later.resumedFrom < microStep);
}

/** The accepted items, one for each micro-step (the highest attempt's), ascending. */
export function acceptedItems<T>(
  items: readonly T[],
  placeOf: (item: T) => Place,
  resumptions: readonly Resumption[],
): T[] {
  const byStep = new Map<number, { readonly item: T; readonly attempt: number }>();
  for (const item of items) {
    const { attempt, microStep } = placeOf(item);
    const known = byStep.get(microStep);
    if (!isAccepted({ attempt, microStep }, resumptions) || (known !== undefined && known.attempt >= attempt)) continue;
    byStep.set(microStep, { item, attempt });
  }
  return [...byStep.entries()].sort(([a], [b]) => a - b).map(([, { item }]) => item);
}
