/** The values of one curve in the browser: buckets as the service cut them, then single steps as they come in. */

/**
 * @typedef {{
 *   metric: string, first: number[], last: number[], min: number[], mean: number[], max: number[],
 *   tokens: number[], seconds: number[], smoothed?: (number | null)[],
 * }} Columns
 */
/** @typedef {{ microStep: readonly number[], tokens: readonly number[], seconds: readonly number[] }} AppendedPlaces */

/** Above so many points beyond those that were cut, the curve is cut anew. */
const maximumAppended = 600;

export class CurveData {
  /** First and last micro-step of each point. @type {number[]} */
  first = [];
  /** @type {number[]} */ steps = [];
  /** Where in the run its last micro-step lies. @type {number[]} */ tokens = [];
  /** @type {number[]} */ seconds = [];
  /** @type {number[]} */ mean = [];
  /** @type {number[]} */ min = [];
  /** @type {number[]} */ max = [];
  /** The moving average that the service computed, and its continuation. @type {(number | null)[]} */
  smoothed = [];
  #weight = 0;
  #appended = 0;

  /** @param {Columns | undefined} columns @param {number} [weight] of what was before in the moving average */
  load(columns, weight = 0) {
    this.first = [...(columns?.first ?? [])];
    this.steps = [...(columns?.last ?? [])];
    this.tokens = [...(columns?.tokens ?? [])];
    this.seconds = [...(columns?.seconds ?? [])];
    this.mean = [...(columns?.mean ?? [])];
    this.min = [...(columns?.min ?? [])];
    this.max = [...(columns?.max ?? [])];
    this.smoothed = [...(columns?.smoothed ?? this.steps.map(() => null))];
    this.#weight = columns?.smoothed === undefined ? 0 : weight;
    this.#appended = 0;
  }

  /**
   * Steps that are there already are passed over: a stream that was taken up again may repeat some.
   * @param {AppendedPlaces} places ascending
   * @param {readonly (number | null)[]} values
   */
  append(places, values) {
    places.microStep.forEach((step, index) => {
      const value = values[index];
      if (step <= (this.steps.at(-1) ?? 0) || value === null || value === undefined) return;
      this.smoothed.push(this.#nextSmoothed(step, value));
      this.first.push(step);
      this.steps.push(step);
      this.tokens.push(places.tokens[index] ?? 0);
      this.seconds.push(places.seconds[index] ?? 0);
      for (const column of [this.mean, this.min, this.max]) column.push(value);
      this.#appended += 1;
    });
  }

  get hasGrownTooLong() {
    return this.#appended > maximumAppended;
  }

  /** As the service goes on (moving-average.ts): its mass after n values is 1 - w^n. @param {number} step @param {number} value */
  #nextSmoothed(step, value) {
    if (this.#weight === 0) return null;
    const before = this.smoothed.at(-1) ?? value;
    const [mass, next] = [1 - this.#weight ** (step - 1), 1 - this.#weight ** step];
    return (this.#weight * mass * before + (1 - this.#weight) * value) / next;
  }
}

/**
 * Curves over the places of all of them, `null` where one has no value.
 * @param {readonly { places: readonly number[], values: readonly (readonly (number | null)[])[] }[]} curves
 * @returns {[number[], ...(number | null)[][]]} places, then every column of every curve
 */
export function aligned(curves) {
  const places = [...new Set(curves.flatMap((curve) => [...curve.places]))].sort((a, b) => a - b);
  const columns = curves.flatMap((curve) => {
    const known = new Map(curve.places.map((place, index) => [place, index]));
    return curve.values.map((column) =>
      places.map((place) => {
        const index = known.get(place);
        return index === undefined ? null : (column[index] ?? null);
      }),
    );
  });
  return [places, ...columns];
}
