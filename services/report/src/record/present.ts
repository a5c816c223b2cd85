/** Absent is not 0: a number that is not known is left out of a message. */

/** The members of `values` that are not undefined. */
export function present<T extends object>(values: T): { [K in keyof T]?: T[K] & ({} | null) } {
  const found: { [K in keyof T]?: T[K] & ({} | null) } = {};
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
