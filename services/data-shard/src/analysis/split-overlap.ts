/** How much of the validation text stands in the training text too: by whole rows, and by runs of neighbouring tokens. */
import { hash } from "node:crypto";
import type { RowSample } from "./row-sample.ts";
import { RunTable } from "./run-table.ts";
import { type Markers, withoutMarkers } from "./token-runs.ts";

export interface OverlapCounts {
  readonly rows: number;
  readonly identicalRows: number;
  readonly runs: number;
  readonly overlappingRuns: number;
  readonly rowsWithOverlap: number;
}

/** Takes the validation rows first, then every training row; what it holds depends on the validation rows alone. */
export class SplitOverlap {
  readonly #markers: Markers;
  readonly #runs: RunTable;
  /** Digests of the validation rows, and whether a training row has the same. */
  readonly #digests = new Map<string, boolean>();
  #counts: OverlapCounts = { rows: 0, identicalRows: 0, runs: 0, overlappingRuns: 0, rowsWithOverlap: 0 };

  constructor({ tokens }: Pick<RowSample, "tokens">, markers: Markers) {
    this.#markers = markers;
    this.#runs = new RunTable(tokens, markers);
  }

  addValidation(row: Uint16Array): void {
    this.#runs.add(row);
    this.#digests.set(this.#digestOf(row), false);
  }

  seeTraining(row: Uint16Array): void {
    this.#runs.see(row);
    const digest = this.#digestOf(row);
    if (this.#digests.has(digest)) this.#digests.set(digest, true);
  }

  /** Adds a validation row to the counts; after all training rows. */
  count(row: Uint16Array): void {
    const { runs, seen } = this.#runs.count(row);
    const isIdentical = this.#digests.get(this.#digestOf(row)) === true;
    this.#counts = {
      rows: this.#counts.rows + 1,
      identicalRows: this.#counts.identicalRows + (isIdentical ? 1 : 0),
      runs: this.#counts.runs + runs,
      overlappingRuns: this.#counts.overlappingRuns + seen,
      rowsWithOverlap: this.#counts.rowsWithOverlap + (seen > 0 ? 1 : 0),
    };
  }

  get counts(): OverlapCounts {
    return this.#counts;
  }

  #digestOf(row: Uint16Array): string {
    return hash("sha256", withoutMarkers(row, this.#markers), "base64");
  }
}
