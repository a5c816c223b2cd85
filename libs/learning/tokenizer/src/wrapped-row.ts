/** A text as a row of training data: begin, text, end, and not longer than the model reads. */
import type { SpecialTokens } from "./load-tokenizer.ts";

/**
 * `after_wrap`: begin + text + end, then cut at the end, so that a long row loses its end marker (as recorded).
 * `keep_eos`: the text is cut, both markers stay.
 */
export type CutRule = "after_wrap" | "keep_eos";

export interface WrappedRow {
  /** At most `maximumLength` ids, markers included. */
  readonly ids: Uint16Array;
  /** Ids of the whole row that are not in it. */
  readonly tokensLost: number;
  /** The text began and ended with the markers already. */
  readonly wasWrapped: boolean;
}

/**
 * The row of a text's ids. A marker that the text carries already is not added a second time; each end is looked at alone.
 *
 *     text ids            a b c        bos a b c      bos a b c eos
 *     row                 bos a b c eos in all three cases
 */
export function wrappedRow(
  textIds: Uint16Array,
  { bos, eos }: SpecialTokens,
  { maximumLength, cut }: { readonly maximumLength: number; readonly cut: CutRule },
): WrappedRow {
  const hasBegin = textIds[0] === bos;
  const hasEnd = textIds.length > (hasBegin ? 1 : 0) && textIds.at(-1) === eos;
  const whole = new Uint16Array((hasBegin ? 0 : 1) + textIds.length + (hasEnd ? 0 : 1));
  whole.set(textIds, hasBegin ? 0 : 1);
  whole[0] = bos;
  whole[whole.length - 1] = eos;
  const ids = whole.slice(0, maximumLength);
  const isCut = whole.length > maximumLength;
  if (isCut && cut === "keep_eos") ids[maximumLength - 1] = eos;
  return { ids, tokensLost: whole.length - ids.length, wasWrapped: hasBegin && hasEnd };
}
