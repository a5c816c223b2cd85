/** The values of one curve in the browser: buckets as the service cut them, then single steps as they come in. */

/** @typedef {{ metric: string, first: number[], last: number[], min: number[], mean: number[], max: number[] }} Columns */

/** Above so many points beyond those that were cut, the curve is cut anew. */
const maximumAppended = 600;

export class CurveData {
  /** Last micro-step of each point. @type {number[]} */
  steps = [];
  /** @type {number[]} */ mean = [];
  /** @type {number[]} */ min = [];
  /** @type {number[]} */ max = [];
  #appended = 0;

  /** @param {Columns | undefined} columns */
  load(columns) {
    this.steps = [...(columns?.last ?? [])];
    this.mean = [...(columns?.mean ?? [])];
    this.min = [...(columns?.min ?? [])];
    this.max = [...(columns?.max ?? [])];
    this.#appended = 0;
  }

  /**
   * Steps that are there already are passed over: a stream that was taken up again may repeat some.
   * @param {readonly number[]} steps ascending
   * @param {readonly (number | null)[]} values
   */
  append(steps, values) {
    steps.forEach((step, index) => {
      const value = values[index];
      if (step <= (this.steps.at(-1) ?? 0) || value === null || value === undefined) return;
      this.steps.push(step);
      for (const column of [this.mean, this.min, this.max]) column.push(value);
      this.#appended += 1;
    });
  }

  get hasGrownTooLong() {
    return this.#appended > maximumAppended;
  }
}

/**
 * Curves over the steps of all of them, `null` where one has no value.
 * @param {readonly { steps: readonly number[], values: readonly (readonly (number | null)[])[] }[]} curves
 * @returns {[number[], ...(number | null)[][]]} steps, then every column of every curve
 */
export function aligned(curves) {
  const steps = [...new Set(curves.flatMap((curve) => [...curve.steps]))].sort((a, b) => a - b);
  const columns = curves.flatMap((curve) => {
    const places = new Map(curve.steps.map((step, index) => [step, index]));
    return curve.values.map((column) =>
      steps.map((step) => {
        const place = places.get(step);
        return place === undefined ? null : (column[place] ?? null);
      }),
    );
  });
  return [steps, ...columns];
}
