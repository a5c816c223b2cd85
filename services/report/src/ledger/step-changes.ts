/**
 * Which steps have been written since somebody looked. Whoever keeps steps in memory learns from which micro-step on they may
 * be others: steps come late, again with another content, or from an attempt that began earlier.
 */
export class StepChanges {
  readonly #lowest = new Map<string, number>();

  /** Called for every step that is written, also when its transaction is undone afterwards: then once too often. */
  note(experiment: string, microStep: number): void {
    const lowest = this.#lowest.get(experiment);
    if (lowest === undefined || microStep < lowest) this.#lowest.set(experiment, microStep);
  }

  /** The lowest of the experiment since the last call; undefined when none was written. For one reader: it forgets what it said. */
  take(experiment: string): number | undefined {
    const lowest = this.#lowest.get(experiment);
    this.#lowest.delete(experiment);
    return lowest;
  }
}
