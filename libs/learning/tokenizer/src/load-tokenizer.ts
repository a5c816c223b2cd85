/** A tokenizer.json made usable: text to ids, ids to text. */
import type { Tiktoken } from "tiktoken/lite";
import { BytePairEncoding } from "./byte-pair-encoding.ts";
import { isRanked, tiktokenOf } from "./fast-encoding.ts";
import { type StreamDecoder, streamDecoder, textDecoder } from "./stream-decoder.ts";
import { mayHaveLongPiece } from "./text-pieces.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { readTokenizerFile, type TokenizerFile } from "./tokenizer-file.ts";

/** Ids of the tokens with a meaning of their own, named as in MiniMind's vocabulary. */
export interface SpecialTokens {
  /** `<|endoftext|>`, always 0: what rows are padded with. */
  readonly pad: number;
  /** `<|im_start|>`: begins a row. */
  readonly bos: number;
  /** `<|im_end|>`: ends a row. */
  readonly eos: number;
}

export interface Tokenizer {
  /** Entries of the vocabulary; ids are 0 to this minus 1. */
  readonly vocabularySize: number;
  readonly specialTokens: SpecialTokens;
  /**
   * The ids of a text. Names of special tokens in the text become these tokens; nothing is added at the ends.
   * @throws TokenizerError for half a surrogate pair, and above 64 Mi characters
   */
  encode(text: string): Uint16Array;
  /** The text of ids. Bytes that are no UTF-8 become U+FFFD. @throws TokenizerError for an id outside the vocabulary */
  decode(ids: Iterable<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** The bytes that a token stands for; of a special token its name. @throws TokenizerError for an id outside the vocabulary */
  tokenBytes(id: number): Uint8Array;
  /** Decodes tokens as they come, without ever breaking a character. Special tokens are shown unless skipped. */
  streamDecoder(options?: { readonly skipSpecialTokens?: boolean }): StreamDecoder;
}

const maximumCharacters = 64 * 2 ** 20;
const nothing = new Uint8Array();
const names = { pad: "<|endoftext|>", bos: "<|im_start|>", eos: "<|im_end|>" } as const;

/**
 * @param json a Hugging Face tokenizer.json: byte-level BPE, GPT-2's pre-tokenizer, at most 65,536 entries
 * @throws TokenizerError naming the value that is not read, and what is
 */
export function loadTokenizer(json: string | Uint8Array): Tokenizer {
  return new BytePairTokenizer(readTokenizerFile(json));
}

/** WebAssembly knows no garbage: the vocabulary of a tokenizer that nobody has any more would stay in memory for ever. */
const fastEngines = new FinalizationRegistry<Tiktoken>((engine) => engine.free());

class BytePairTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: SpecialTokens;
  readonly #file: TokenizerFile;
  readonly #exact: BytePairEncoding;
  /** Whether this vocabulary's ids decide its merges: the exact engine does all of the work otherwise. */
  readonly #isRanked: boolean;
  /** Made when it is first needed: who only looks whether a file can be used needs none. */
  #fast: Tiktoken | undefined;
  readonly #addedToken: RegExp;

  constructor(file: TokenizerFile) {
    this.#file = file;
    this.#exact = new BytePairEncoding(file);
    this.#isRanked = isRanked(file, this.#exact);
    this.#addedToken = new RegExp(
      `(${[...file.addedTokens.keys()].map((name) => RegExp.escape(name)).join("|")})`,
      "u",
    );
    this.vocabularySize = file.tokenBytes.length;
    this.specialTokens = specialTokensOf(file);
  }

  encode(text: string): Uint16Array {
    if (!text.isWellFormed()) throw new TokenizerError("text", "holds half a surrogate pair, which is no character");
    if (text.length > maximumCharacters)
      throw new TokenizerError("text", `is longer than ${maximumCharacters} characters`);
    const isSlow = !this.#isRanked || mayHaveLongPiece(text);
    return Uint16Array.from(isSlow ? this.#encodeExactly(text) : this.#encodeFast(text));
  }

  decode(ids: Iterable<number>, { skipSpecialTokens = false }: { readonly skipSpecialTokens?: boolean } = {}): string {
    const parts = Array.from(ids, (id) => this.#shownBytes(id, skipSpecialTokens));
    const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return textDecoder().decode(bytes);
  }

  tokenBytes(id: number): Uint8Array {
    return this.#bytesOf(id).slice();
  }

  streamDecoder({ skipSpecialTokens = false }: { readonly skipSpecialTokens?: boolean } = {}): StreamDecoder {
    return streamDecoder((id) => this.#shownBytes(id, skipSpecialTokens));
  }

  #shownBytes(id: number, skipSpecialTokens: boolean): Uint8Array {
    return skipSpecialTokens && this.#file.specialIds.has(id) ? nothing : this.#bytesOf(id);
  }

  #bytesOf(id: number): Uint8Array {
    const bytes = this.#file.tokenBytes[id];
    if (bytes === undefined) throw new TokenizerError("id", `${id} is none of the ids 0 to ${this.vocabularySize - 1}`);
    return bytes;
  }

  #encodeFast(text: string): Uint32Array {
    if (this.#fast === undefined) {
      this.#fast = tiktokenOf(this.#file);
      fastEngines.register(this, this.#fast);
    }
    return this.#fast.encode(text, "all");
  }

  #encodeExactly(text: string): number[] {
    // With the names captured, `split` gives text, name, text, name, …, text.
    return text.split(this.#addedToken).flatMap((part, index) => {
      const addedId = index % 2 === 1 ? this.#file.addedTokens.get(part) : undefined;
      return addedId === undefined ? this.#exact.encodeText(part) : [addedId];
    });
  }
}

function specialTokensOf({ addedTokens }: TokenizerFile): SpecialTokens {
  const idOf = (name: string) => {
    const id = addedTokens.get(name);
    if (id === undefined)
      throw new TokenizerError("added_tokens", `has no ${name}; ${Object.values(names).join(", ")} are needed`);
    return id;
  };
  const tokens = { pad: idOf(names.pad), bos: idOf(names.bos), eos: idOf(names.eos) };
  if (tokens.pad !== 0)
    throw new TokenizerError("added_tokens", `${names.pad} is ${tokens.pad}; rows are padded with 0`);
  return tokens;
}
