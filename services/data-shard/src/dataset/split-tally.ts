/** The numbers of one split, counted row by row while it is packed. */
import { createHash } from "node:crypto";

export interface SplitNumbers {
  readonly rows: number;
  /** Token ids kept, markers included, padding not. */
  readonly tokens: number;
  readonly rowsCut: number;
  readonly tokensLost: number;
  /** Targets of the shifted loss: a row of n tokens has n - 1. */
  readonly targets: number;
  /** Padding positions over all positions of the padded matrix, 0 to 1. */
  readonly paddingShare: number;
  /** SHA-256 of the padded matrix [rows, maximumSequenceLength] of little-endian uint16 ids. */
  readonly paddedIdsSha256: string;
  /** UTF-8 bytes of the texts without markers, also of what was cut off. */
  readonly textBytes: number;
}

export class SplitTally {
  readonly #paddedRow: Uint16Array;
  readonly #paddedIds = createHash("sha256");
  #rows = 0;
  #tokens = 0;
  #rowsCut = 0;
  #tokensLost = 0;
  #textBytes = 0;

  constructor(maximumSequenceLength: number) {
    this.#paddedRow = new Uint16Array(maximumSequenceLength);
  }

  /** @param ids of the row as it is stored   @param textBytes UTF-8 bytes of its text without markers */
  add(ids: Uint16Array, tokensLost: number, textBytes: number): void {
    this.#rows += 1;
    this.#tokens += ids.length;
    this.#rowsCut += tokensLost > 0 ? 1 : 0;
    this.#tokensLost += tokensLost;
    this.#textBytes += textBytes;
    this.#paddedRow.fill(0).set(ids);
    this.#paddedIds.update(this.#paddedRow);
  }

  get numbers(): SplitNumbers {
    const positions = this.#rows * this.#paddedRow.length;
    return {
      rows: this.#rows,
      tokens: this.#tokens,
      rowsCut: this.#rowsCut,
      tokensLost: this.#tokensLost,
      targets: this.#tokens - this.#rows,
      paddingShare: positions === 0 ? 0 : (positions - this.#tokens) / positions,
      paddedIdsSha256: this.#paddedIds.copy().digest("hex"),
      textBytes: this.#textBytes,
    };
  }
}
