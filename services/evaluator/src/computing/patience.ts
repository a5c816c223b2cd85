/**
 * Whether an answer is still waited for. Who computes is not hanging, however long it takes: beside others a process that leaves the
 * processors to them may need thirty times as long as alone. It is asked for each period of waiting that has passed.
 */

/** And not for ever: a process may also compute without an end. */
const mostPeriods = 20;

export class Patience {
  #computedMs: number | undefined;
  #periods = 0;

  /** @param computedMs processor time of the process so far; undefined where the system does not tell: then one period is all */
  constructor(computedMs: number | undefined) {
    this.#computedMs = computedMs;
  }

  holds(computedMs: number | undefined): boolean {
    const hasComputed = (computedMs ?? 0) > (this.#computedMs ?? Number.POSITIVE_INFINITY);
    this.#computedMs = computedMs;
    this.#periods += 1;
    return hasComputed && this.#periods < mostPeriods;
  }
}
