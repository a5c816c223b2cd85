/** The curves over the steps of one experiment, cut from memory. */
import type { Ledger } from "../ledger/open-ledger.ts";
import { BlockSums } from "./block-sums.ts";
import type { StepCurve } from "./curves.ts";
import { MovingAverage } from "./moving-average.ts";
import { StepsInMemory } from "./steps-in-memory.ts";
import type { Bucket, Cut, PlaceInRun } from "./thinning.ts";
import type { ValueColumns } from "./value-columns.ts";

interface Kept {
  readonly blocks: BlockSums;
  /** With the weight that was asked for last. */
  average: MovingAverage | undefined;
}

export class CurvesInMemory {
  readonly #steps: StepsInMemory;
  /** By what they are made of: a perplexity has the blocks of its loss. */
  readonly #kept = new Map<string, Kept>();

  constructor(ledger: Ledger, experiment: string) {
    this.#steps = new StepsInMemory(ledger, experiment);
  }

  get rows(): number {
    return this.#steps.rows;
  }

  get sizeBytes(): number {
    const kept = [...this.#kept.values()].map(({ blocks, average }) => blocks.sizeBytes + (average?.sizeBytes ?? 0));
    return kept.reduce((sum, size) => sum + size, this.#steps.sizeBytes);
  }

  /** 0 without a step. */
  get lastMicroStep(): number {
    return this.#steps.column("microStep")[this.rows - 1] ?? 0;
  }

  /**
   * Drops what the ledger has changed and reads about `limit` more steps.
   * @param wanted curves that will be asked for: what is read is cut into their blocks
   * @returns true when all steps are here
   */
  follow(limit: number, wanted: readonly StepCurve[]): boolean {
    const right = this.#steps.dropChanged();
    for (const { blocks, average } of this.#kept.values()) {
      blocks.keepOnly(right);
      average?.keepOnly(right);
    }
    const isEnd = this.#steps.read(limit);
    for (const curve of wanted) this.#keptOf(curve).blocks.follow(this.#valuesOf(curve), this.rows);
    return isEnd;
  }

  /** @param smoothing weight of what was before in the moving average; 0: none */
  buckets(curve: StepCurve, range: Cut, smoothing: number): Bucket[] {
    const { blocks } = this.#keptOf(curve);
    const values = this.#valuesOf(curve);
    const average = this.#averageOf(curve, smoothing);
    const shown = curve.shown ?? ((quotient: number) => quotient);
    const buckets: Bucket[] = [];
    for (let begin = range.from; begin <= range.to; begin += range.width) {
      const end = Math.min(begin + range.width, range.to + 1);
      const sums = blocks.between(values, this.#steps.rowsBefore(begin), this.#steps.rowsBefore(end));
      if (sums.count === 0) continue;
      const smoothed = average?.at(values, sums.lastRow);
      buckets.push({
        firstMicroStep: this.#microStepOf(sums.firstRow),
        lastMicroStep: this.#microStepOf(sums.lastRow),
        count: sums.count,
        min: shown(sums.min),
        mean: shown(sums.numerator / sums.denominator),
        max: shown(sums.max),
        last: shown(valueAt(values, sums.lastRow)),
        ...(smoothed !== undefined && { smoothed: shown(smoothed) }),
        ...this.#placeOf(sums.lastRow),
      });
    }
    return buckets;
  }

  /** Of the last step up to that number; zeros before the first one. */
  placeAt(microStep: number): PlaceInRun {
    const row = this.#steps.rowsBefore(microStep + 1) - 1;
    return row < 0 ? { tokensSeen: 0, elapsedSeconds: 0 } : this.#placeOf(row);
  }

  #placeOf(row: number): PlaceInRun {
    const times = this.#steps.column("timeMs");
    const firstSeconds = this.#steps.column("totalSeconds")[0] ?? 0; // before the end of the first step
    return {
      tokensSeen: this.#steps.column("tokensSeen")[row] ?? 0,
      elapsedSeconds: ((times[row] ?? 0) - (times[0] ?? 0)) / 1000 + firstSeconds,
    };
  }

  #microStepOf(row: number): number {
    return this.#steps.column("microStep")[row] ?? 0;
  }

  #valuesOf({ numerator, denominator }: StepCurve): ValueColumns {
    const denominators = denominator === undefined ? undefined : this.#steps.column(denominator);
    return { numerators: this.#steps.column(numerator), denominators };
  }

  #keptOf({ numerator, denominator }: StepCurve): Kept {
    const name = `${numerator}/${denominator ?? 1}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const kept: Kept = { blocks: new BlockSums(), average: undefined };
    this.#kept.set(name, kept);
    return kept;
  }

  #averageOf(curve: StepCurve, weight: number): MovingAverage | undefined {
    if (weight === 0) return undefined;
    const kept = this.#keptOf(curve);
    const average = kept.average?.weight === weight ? kept.average : new MovingAverage(weight);
    kept.average = average;
    average.follow(this.#valuesOf(curve), this.rows);
    return average;
  }
}

function valueAt({ numerators, denominators }: ValueColumns, row: number): number {
  return (numerators[row] ?? Number.NaN) / (denominators?.[row] ?? 1);
}
