/** What a format is: the files that a model becomes, and how they are read by somebody who knows nothing but the format. */
import type { LlamaShape } from "@pretrain/hugging-face";
import type { PlainLlama } from "@pretrain/plain-llama";
import type { SpecialTokens } from "@pretrain/tokenizer";

/** A checkpoint as formats see it. */
export interface ExportContent {
  readonly shape: LlamaShape;
  /** By our names and in our order, in heads of `shape.headDim`. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The tokenizer.json that the model was trained with. */
  readonly tokenizerJson: Uint8Array;
  readonly specialTokens: SpecialTokens;
  /** The names of the special tokens. */
  readonly markers: { readonly [K in keyof SpecialTokens]: string };
  /** Where the weights come from, as metadata of the file that holds them. */
  readonly provenance: Readonly<Record<string, string>>;
}

export interface ExportFormat {
  /** By name; the pieces of each can be gone through again and again. */
  readonly files: (content: ExportContent) => ReadonlyMap<string, () => Iterable<Uint8Array>>;
  /**
   * The model that the files describe.
   *
   * @param read gives a file's bytes @throws Error when they describe none
   */
  readonly read: (read: (file: string) => Promise<Uint8Array>) => Promise<PlainLlama>;
}
