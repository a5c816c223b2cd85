/**
 * Rows as they are scored: whole, or, where they are longer than the context, in rolling windows whose scores are put together again
 * so that each target has one.
 */
import { rollingWindows, type ScoringWindow } from "@pretrain/measures";

/** Of the tokens of a row but the first, in their order. */
export interface RowScores {
  /** What each cost, in nats. */
  readonly losses: Float32Array;
  /** The token with the largest score in its place, the first of equal ones. */
  readonly likeliest: Int32Array;
  /** The probability of that one. */
  readonly confidence: Float32Array;
}

/** What is computed as one row. Its last `kept` predictions are those of its row's targets from `first` on. */
export interface Piece {
  readonly row: number;
  readonly tokens: ArrayLike<number>;
  readonly first: number;
  readonly kept: number;
}

/** @throws RangeError unless 1 <= stride <= context */
export function piecesOf(rows: readonly ArrayLike<number>[], window?: ScoringWindow): Piece[] {
  return rows.flatMap((tokens, row) => {
    const targets = targetsOf(tokens);
    if (window === undefined) return [{ row, tokens, first: 0, kept: targets }];
    const windows = rollingWindows(targets, window.context, window.stride);
    if (windows.length <= 1) return [{ row, tokens, first: 0, kept: targets }];
    const ids = Int32Array.from(tokens);
    return windows.map(({ input: [begin], score: [first, end] }) => {
      return { row, tokens: ids.subarray(begin + 1, end + 1), first, kept: end - first }; // token -1 of the text is the row's first
    });
  });
}

/** Scores of rows, to be filled in piece by piece. */
export function emptyScores(rows: readonly ArrayLike<number>[]): RowScores[] {
  return rows.map(targetsOf).map((targets) => ({
    losses: new Float32Array(targets),
    likeliest: new Int32Array(targets),
    confidence: new Float32Array(targets),
  }));
}

/** Keeps what was computed of a piece. @param found of a batch   @param start where in it the piece's predictions begin */
export function keepScores({ tokens, first, kept }: Piece, found: RowScores, start: number, scores: RowScores): void {
  const end = start + targetsOf(tokens);
  scores.losses.set(found.losses.subarray(end - kept, end), first);
  scores.likeliest.set(found.likeliest.subarray(end - kept, end), first);
  scores.confidence.set(found.confidence.subarray(end - kept, end), first);
}

function targetsOf({ length }: ArrayLike<number>): number {
  return Math.max(0, length - 1);
}
