/** The numbers of a record, sorted, so that thousands of sentences can be looked up in them. */
import { metricNamed } from "@pretrain/recipe";
import type { Meaning, NumberKind, ProseNumber } from "./prose-numbers.ts";
import type { RecordNumber } from "./record-numbers.ts";

interface Known extends RecordNumber {
  /** Without its sign: a fall of 81.7 % is -81.7 %. */
  readonly size: number;
}

/** What is further away than this share of the number is not near. */
const nearShare = 0.2;

type ByKind = ReadonlyMap<NumberKind, readonly Known[]>;

export class KnownNumbers {
  readonly #all: ByKind;
  /** Those that people write about; a share of padding that happens to be nearer helps nobody. */
  readonly #metrics: ByKind;

  /** @param numbers of several that are equal the first one is told */
  constructor(numbers: readonly RecordNumber[]) {
    const known = numbers
      .filter(({ value }) => Number.isFinite(value))
      .map((number) => ({ ...number, size: Math.abs(number.value) }))
      .sort((a, b) => a.size - b.size);
    this.#all = Map.groupBy(known, ({ kind }) => kind);
    this.#metrics = Map.groupBy(
      known.filter(({ name }) => metricNamed(name) !== undefined),
      ({ kind }) => kind,
    );
  }

  /** True when one of them is written so. */
  has({ meanings }: ProseNumber): boolean {
    return meanings.some(({ kind, low, high }) => {
      const known = this.#all.get(kind) ?? [];
      const next = known[firstFrom(known, low)];
      return next !== undefined && next.size <= high;
    });
  }

  /** Such as `-81.7 % (eval/inference_loss)`, a metric where one is near; empty when nothing is. */
  nearest({ meanings }: ProseNumber): string {
    const closest = closestOf(meanings, this.#metrics) ?? closestOf(meanings, this.#all);
    return closest === undefined ? "" : `${shown(closest)} (${closest.name})`;
  }
}

function closestOf(meanings: readonly Meaning[], numbers: ByKind): Known | undefined {
  const near = meanings.flatMap((meaning) => nearTo(meaning, numbers.get(meaning.kind) ?? []));
  return near.sort((a, b) => a.distance - b.distance)[0]?.number;
}

function nearTo({ low, high }: Meaning, known: readonly Known[]) {
  const middle = (low + high) / 2;
  const above = firstFrom(known, middle);
  const below = known[above - 1];
  // Of equal ones below, the first: its name comes first in the record.
  const neighbours = [known[above], below && known[firstFrom(known, below.size)]];
  return neighbours.flatMap((number) => {
    if (number === undefined) return [];
    const distance = Math.abs(number.size - middle) / Math.max(middle, Number.MIN_VALUE);
    return distance <= nearShare ? [{ number, distance }] : [];
  });
}

/** Index of the first whose size is at least `size`. */
function firstFrom(known: readonly Known[], size: number): number {
  let [low, high] = [0, known.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((known[middle]?.size ?? 0) < size) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shown({ kind, value }: RecordNumber): string {
  if (kind === "ratio") return `${(100 * value).toFixed(1)} %`;
  const digits = String(Number(value.toPrecision(6)));
  if (kind === "seconds") return `${digits} s`;
  return kind === "bytes" ? `${digits} bytes` : digits;
}
