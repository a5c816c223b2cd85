/** A curve's values over the rows in memory: numerators, and denominators where they are not all 1. */
export interface ValueColumns {
  readonly numerators: Float64Array;
  readonly denominators: Float64Array | undefined;
}
