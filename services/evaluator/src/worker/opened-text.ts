/** A text as the model reads it: begun like every row that it was trained on. */
import type { Tokenizer } from "@pretrain/tokenizer";

/** bos and the ids of the text; a text that begins with bos by its name is not given a second one, as in a dataset's rows. */
export function openedText(tokenizer: Tokenizer, text: string): number[] {
  const { bos } = tokenizer.specialTokens;
  const ids = [...tokenizer.encode(text)];
  return ids[0] === bos ? ids : [bos, ...ids];
}
