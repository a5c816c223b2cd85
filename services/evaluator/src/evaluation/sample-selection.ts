/** Which rows serve as samples: the first long enough ones in the order of the file, so that every run takes the same. */

/** A row of the validation split. */
export interface Row {
  /** Index in the split, from 0. */
  readonly rowId: number;
  /** Token ids without padding, markers included. */
  readonly tokens: Uint16Array;
}

export class SampleSelection {
  readonly #samples: number;
  readonly #minimumTokens: number;
  #taken = 0;
  #skippedRows = 0;

  /**
   * @param samples rows to take at most
   * @param minimumTokens real tokens that a row needs; padding is none
   */
  constructor(samples: number, minimumTokens: number) {
    this.#samples = samples;
    this.#minimumTokens = minimumTokens;
  }

  /** Rows passed over because they are too short, up to the last sample taken; all short ones while samples are missing. */
  get skippedRows(): number {
    return this.#skippedRows;
  }

  /** Whether `row`, the next one of the file, is a sample. */
  takes({ tokens }: Row): boolean {
    if (this.#taken === this.#samples) return false;
    const isLongEnough = tokens.length >= this.#minimumTokens;
    if (isLongEnough) this.#taken += 1;
    else this.#skippedRows += 1;
    return isLongEnough;
  }
}
