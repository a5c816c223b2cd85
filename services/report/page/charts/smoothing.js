/** The smoothed line over the raw one. */

/**
 * Exponential moving average, freed of the pull towards zero that its beginning has: the first value is the first value.
 * Gaps stay gaps and pull on nothing.
 *
 * @param {readonly (number | null)[]} values
 * @param {number} weight of what came before, from 0 (no smoothing) to less than 1
 * @returns {(number | null)[]}
 */
export function smoothed(values, weight) {
  let sum = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}
