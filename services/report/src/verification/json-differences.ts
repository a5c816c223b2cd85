/** Where two JSON values differ: every path at which one has another value, or has nothing. */

export interface JsonDifference {
  /** Such as `indicators[3].final`; empty for the value as a whole. */
  readonly path: readonly (string | number)[];
  /** Undefined where there is nothing. */
  readonly recorded: unknown;
  readonly computed: unknown;
}

/** Deeper values are compared as texts: what people send must not exhaust the stack. */
const deepest = 64;

export function* jsonDifferences(
  recorded: unknown,
  computed: unknown,
  path: readonly (string | number)[] = [],
): Generator<JsonDifference> {
  if (Object.is(recorded, computed)) return;
  const isBoth = isContainer(recorded) && isContainer(computed) && Array.isArray(recorded) === Array.isArray(computed);
  if (!isBoth || path.length > deepest) {
    if (!isBoth || JSON.stringify(recorded) !== JSON.stringify(computed)) yield { path, recorded, computed };
    return;
  }
  for (const key of new Set([...Object.keys(computed), ...Object.keys(recorded)])) {
    const step = Array.isArray(computed) ? Number(key) : key;
    yield* jsonDifferences(own(recorded, key), own(computed, key), [...path, step]);
  }
}

export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${step}`))
    .join("");
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
