/** How a text longer than the model's context is scored: every token once, with as much of the text before it as fits. */

/** Half-open ranges of tokens. Token -1 is the prefix, bos, which stands before the text and is never scored. */
export interface RollingWindow {
  /** What the model reads: up to `context` tokens. */
  readonly input: readonly [begin: number, end: number];
  /** What is scored: the last predictions of the window, each of the token behind one that was read. */
  readonly score: readonly [begin: number, end: number];
}

/** How a row is scored that has more tokens behind its first one than `context`. */
export interface ScoringWindow {
  /** Tokens that a token is predicted from at most. */
  readonly context: number;
  /** New tokens of each window but the first, 1 to `context`. */
  readonly stride: number;
}

/**
 * Rolling windows as lm-evaluation-harness has them. The first one scores all it reads from the prefix on; each later one
 * scores the next `stride` tokens, fewer at the end, and reads `context` tokens up to the one before the last it scores:
 *
 *     context 4, stride 2          -1  0  1  2  3  4  5  6
 *     first reads -1…2              r  r  r  r
 *           scores 0…3                 s  s  s  s
 *     second reads 1…4                    r  r  r  r
 *            scores 4, 5                           s  s
 *     third reads 2…5                        r  r  r  r
 *           scores 6                                     s
 *
 * @param tokens of the text, without prefix   @throws RangeError unless 1 <= stride <= context
 */
export function rollingWindows(tokens: number, context: number, stride: number): readonly RollingWindow[] {
  if (!(stride >= 1 && stride <= context)) throw new RangeError(`a stride of ${stride} in a context of ${context}`);
  const windows: RollingWindow[] = [];
  for (let begin = 0; begin < tokens; ) {
    const end = Math.min(begin + (begin === 0 ? context : stride), tokens);
    windows.push({ input: [Math.max(end - context, 0) - 1, end - 1], score: [begin, end] });
    begin = end;
  }
  return windows;
}
