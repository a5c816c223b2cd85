/** Learning a vocabulary from text, and writing it as a tokenizer.json. */
import { bytesInAlphabetOrder, characterOfByte } from "./byte-alphabet.ts";
import { learnMerges } from "./learn-merges.ts";
import { textPieces } from "./text-pieces.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import type { Merge } from "./tokenizer-file.ts";

const specialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;
const smallest = specialTokens.length + 256;
const largest = 65_536;
const maximumDistinctBytes = 2 ** 25; // of all different pieces together: most of a gigabyte while merging

/**
 * Learns a byte-level BPE vocabulary: `<|endoftext|>`, `<|im_start|>`, `<|im_end|>` (0, 1, 2), the 256 bytes, then a token
 * for each merge. The merges are those of Hugging Face `tokenizers`' BpeTrainer for the same texts. Texts are cut into
 * pieces one by one; names of special tokens in them are learned like other text, so leave them out.
 *
 * @param vocabularySize 259 to 65,536; the vocabulary is smaller when the texts run out of pairs
 * @returns a tokenizer.json, the same string for the same texts in any order
 * @throws TokenizerError for another size, for half a surrogate pair, or for more than 32 MiB of different pieces
 */
export async function trainTokenizer(
  texts: AsyncIterable<string>,
  { vocabularySize }: { readonly vocabularySize: number },
): Promise<string> {
  if (!Number.isInteger(vocabularySize) || vocabularySize < smallest || vocabularySize > largest) {
    throw new TokenizerError("vocabularySize", `${vocabularySize} is no whole number from ${smallest} to ${largest}`);
  }
  const idOfByte = new Uint16Array(256);
  for (const [index, byte] of bytesInAlphabetOrder.entries()) idOfByte[byte] = specialTokens.length + index;
  const merges = learnMerges(await countPieces(texts), idOfByte, smallest, vocabularySize - smallest);
  return tokenizerJson(merges);
}

/** How often each piece stands in the texts. */
async function countPieces(texts: AsyncIterable<string>): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const encoder = new TextEncoder();
  let distinctBytes = 0;
  for await (const text of texts) {
    if (!text.isWellFormed()) throw new TokenizerError("texts", "hold half a surrogate pair, which is no character");
    for (const piece of textPieces(text)) {
      const count = counts.get(piece);
      if (count === undefined) distinctBytes += encoder.encode(piece).length;
      counts.set(piece, (count ?? 0) + 1);
    }
    if (distinctBytes > maximumDistinctBytes) {
      throw new TokenizerError(
        "texts",
        `hold more than ${maximumDistinctBytes} bytes of different pieces; train on fewer texts`,
      );
    }
  }
  return counts;
}

/** The file as Hugging Face `tokenizers` reads it. */
function tokenizerJson(merges: readonly Merge[]): string {
  const spellings = [...specialTokens, ...bytesInAlphabetOrder.map((byte) => characterOfByte[byte] ?? "")];
  const pairs = merges.map(({ left, right }) => {
    const pair = [spellings[left] ?? "", spellings[right] ?? ""] as const;
    spellings.push(pair.join(""));
    return pair;
  });
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(spellings.map((token, id) => [token, id])),
      merges: pairs,
    },
  });
}
