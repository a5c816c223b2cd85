/** Waiting for what another process will do, without a sleep that is either too short or too long. */
import { setTimeout as pause } from "node:timers/promises";

type Falsy = false | 0 | "" | null | undefined;

/**
 * Asks `condition` again and again, with growing pauses of 5 to 100 ms, until its answer is truthy.
 * @returns that answer
 * @throws Error after `timeoutMs` (30 s if not given: machines are busy) with the last answer, or with the last error of `condition` as its
 *   cause: a condition that throws counts as "not yet".
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 2)) {
    const attempt = await outcome(condition);
    if ("value" in attempt && isTruthy(attempt.value)) return attempt.value;
    if (performance.now() >= deadline) throw expired(timeoutMs, attempt);
    await pause(pauseMs);
  }
}

type Outcome<T> = { readonly value: T } | { readonly cause: unknown };

async function outcome<T>(condition: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await condition() };
  } catch (cause) {
    return { cause };
  }
}

function isTruthy<T>(value: T): value is Exclude<T, Falsy> {
  return Boolean(value);
}

function expired(timeoutMs: number, last: Outcome<unknown>): Error {
  const message = `the condition did not hold within ${timeoutMs} ms`;
  return "cause" in last
    ? new Error(`${message}: ${String(last.cause)}`, { cause: last.cause })
    : new Error(`${message}: the last answer was ${String(last.value)}`);
}
