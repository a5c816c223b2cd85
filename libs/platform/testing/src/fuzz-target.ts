/**
 * A parser of foreign bytes, as those see it who try to break it. One stands beside each parser, in a file that ends in `.fuzz.ts` and
 * whose default export it is; `pnpm fuzz` finds them all.
 */
export interface FuzzTarget {
  /** Valid inputs, made by the project's own writers where there are any: what hostile ones are made from. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Words that matter to the parser, to be put where they do not belong. */
  readonly dictionary?: readonly string[];
  /**
   * Puts around an input what would refuse it before the parser sees it: a length, a checksum, a signature. Half of the inputs are changed
   * inside of it, the others as a whole.
   */
  enclose?(inner: Uint8Array): Uint8Array;
  /**
   * Lets the parser read, and where there is a writer asserts that what was read can be written and read to the same meaning.
   *
   * @throws a PretrainError, or what `refuses` knows: the input is refused. Anything else is a finding.
   */
  take(bytes: Uint8Array): unknown;
  /** Whether an error that is no PretrainError is the parser's documented one. */
  refuses?(thrown: unknown): boolean;
}
