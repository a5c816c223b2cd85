import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { loadTokenizer, TokenizerError, trainTokenizer } from "./index.ts";

const text = "the cat sat on the mat, isn't it? 12 é 😀";

export default {
  async seeds() {
    const texts = async function* () {
      yield text;
    };
    return [new TextEncoder().encode(await trainTokenizer(texts(), { vocabularySize: 264 }))];
  },
  dictionary: [
    "vocab",
    "merges",
    "added_tokens",
    "content",
    "special",
    "normalizer",
    "pre_tokenizer",
    "ByteLevel",
    "use_regex",
    "byte_fallback",
    "dropout",
    "Ġ",
    "<|endoftext|>",
    "<|im_start|>",
  ],
  take(bytes) {
    const tokenizer = loadTokenizer(bytes);
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  },
  refuses: (thrown) => thrown instanceof TokenizerError,
} satisfies FuzzTarget;
