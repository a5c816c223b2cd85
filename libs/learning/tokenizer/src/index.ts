/** From text to token ids and back: byte-level BPE in the format of Hugging Face's tokenizer.json, read, used and trained. */
export { loadTokenizer, type SpecialTokens, type Tokenizer } from "./load-tokenizer.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export { TokenizerError } from "./tokenizer-error.ts";
export { trainTokenizer } from "./train-tokenizer.ts";
export { type CutRule, type WrappedRow, wrappedRow } from "./wrapped-row.ts";
