/**
 * The date as this process has seen it since its start, by the clock that only runs forwards: between two of them lies the time
 * that passed, also when somebody sets the machine's clock in between. For processes that live as long as a piece of work: one that
 * lives for weeks would keep whatever was wrong with the clock at its start.
 */
export function steadyNow(): Date {
  return new Date(performance.timeOrigin + performance.now());
}
