/** How a count is written: digits in groups of three, by a rule of our own, since a locale's rule differs between machines. */

/** `1234567` as `1,234,567`; of a whole number, or its digits. */
export function counted(count: number | bigint | string): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
