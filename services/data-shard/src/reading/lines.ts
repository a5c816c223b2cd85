/** Bytes cut at line ends, without ever holding more than one line, and not even that when it is too long. */

/** Longest row, in bytes, without its line end. */
export const maximumRowBytes = 2 ** 20;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without LF, and without a CR before it. Undefined: the line is longer than `maximumRowBytes`. */
  readonly bytes: Uint8Array | undefined;
  /** A byte order mark stood before this line, the first of the file, and was taken off. */
  readonly hadByteOrderMark: boolean;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf];
// What may have to be held before a line is known to be too long: a CR that turns out to belong to the line end, and a mark.
const heldBytes = maximumRowBytes + 1 + byteOrderMark.length;

/** The lines of a file. Only LF ends a line; what follows the last LF is a line if there is anything. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const line = new GrowingLine();
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      line.add(chunk.subarray(start, end));
      yield line.take(true);
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  if (line.isBegun) yield line.take(false);
}

class GrowingLine {
  #pieces: Uint8Array[] = [];
  #size = 0;
  #taken = 0;

  get isBegun(): boolean {
    return this.#size > 0;
  }

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (this.#size > heldBytes)
      this.#pieces = []; // too long whatever comes: count on, hold nothing
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  take(hasLineFeed: boolean): Line {
    this.#taken += 1;
    const content = withoutEnds(Buffer.concat(this.#pieces), this.#taken === 1, hasLineFeed);
    const isTooLong = this.#size > heldBytes || content.bytes.length > maximumRowBytes;
    this.#pieces = [];
    this.#size = 0;
    return { number: this.#taken, ...content, bytes: isTooLong ? undefined : content.bytes };
  }
}

function withoutEnds(
  line: Buffer,
  isFirst: boolean,
  hasLineFeed: boolean,
): { bytes: Uint8Array; hadByteOrderMark: boolean } {
  const hadByteOrderMark = isFirst && byteOrderMark.every((byte, index) => line[index] === byte);
  const start = hadByteOrderMark ? byteOrderMark.length : 0;
  const end = hasLineFeed && line.at(-1) === carriageReturn ? line.length - 1 : line.length;
  return { bytes: line.subarray(start, end), hadByteOrderMark };
}
