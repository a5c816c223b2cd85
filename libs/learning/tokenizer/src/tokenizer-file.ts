/**
 * Reads a tokenizer.json strictly: a setting that would change the ids and is not understood here is refused by name,
 * never ignored, so that a file that loads gives the same ids as in the library that wrote it.
 */
import { byteOfCharacter } from "./byte-alphabet.ts";
import { type JsonObject, numberAt, objectAt, parseJson, refuseOthers, stringAt } from "./strict-json.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** One rule of byte pair encoding: the tokens `left`, `right` side by side become `merged`. Its rank is its place in the list. */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly merged: number;
}

/** What a tokenizer.json says, in numbers. */
export interface TokenizerFile {
  /** The bytes of each token, by id; of an added token the UTF-8 bytes of its name. */
  readonly tokenBytes: readonly Uint8Array[];
  /** Tokens that are found in a text by their name, never by merging, with their ids. */
  readonly addedTokens: ReadonlyMap<string, number>;
  /** The added tokens that the file calls special. */
  readonly specialIds: ReadonlySet<number>;
  readonly merges: readonly Merge[];
}

const maximumVocabulary = 65_536; // ids are stored as unsigned 16-bit numbers
const anything = undefined;
const byteLevel = { type: ["ByteLevel"], trim_offsets: anything };

/** @throws TokenizerError naming the value that is not read, and what is */
export function readTokenizerFile(json: string | Uint8Array): TokenizerFile {
  const file = objectAt(parseJson(json), "tokenizer.json");
  checkPipeline(file);
  const model = objectAt(file["model"], "model");
  checkModel(model);
  const added = readAddedTokens(file["added_tokens"]);
  const addedTokens = new Map(added.map(({ content, id }) => [content, id]));
  const idOf = readVocabulary(model["vocab"], addedTokens);
  const tokenBytes = bytesById(idOf, addedTokens);
  const specialIds = new Set(added.filter(({ isSpecial }) => isSpecial).map(({ id }) => id));
  return { tokenBytes, addedTokens, specialIds, merges: readMerges(model["merges"], idOf, addedTokens) };
}

/** Everything around the model must be what byte-level BPE is: no text is changed before, no id added after. */
function checkPipeline(file: JsonObject): void {
  refuseOthers(file, "", {
    version: ["1.0"],
    truncation: [null],
    padding: [null],
    added_tokens: anything,
    normalizer: [null],
    pre_tokenizer: anything,
    post_processor: anything,
    decoder: anything,
    model: anything,
  });
  const preTokenizer = objectAt(file["pre_tokenizer"], "pre_tokenizer");
  refuseOthers(preTokenizer, "pre_tokenizer", { ...byteLevel, add_prefix_space: [false], use_regex: [true, "absent"] });
  // As a post-processor ByteLevel only moves the offsets of tokens; the ids stay.
  if (file["post_processor"] !== null) {
    const postProcessor = objectAt(file["post_processor"], "post_processor");
    refuseOthers(postProcessor, "post_processor", { ...byteLevel, add_prefix_space: anything, use_regex: anything });
  }
  const decoder = objectAt(file["decoder"], "decoder");
  refuseOthers(decoder, "decoder", { ...byteLevel, add_prefix_space: anything, use_regex: anything });
}

function checkModel(model: JsonObject): void {
  refuseOthers(model, "model", {
    type: ["BPE"],
    dropout: [null, 0, "absent"],
    unk_token: anything, // never used: all 256 bytes are in the vocabulary
    fuse_unk: anything,
    continuing_subword_prefix: [null, "", "absent"],
    end_of_word_suffix: [null, "", "absent"],
    byte_fallback: [false, "absent"],
    ignore_merges: [false, "absent"],
    vocab: anything,
    merges: anything,
  });
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly isSpecial: boolean;
}

function readAddedTokens(value: unknown): AddedToken[] {
  if (!Array.isArray(value) || value.length > 1024)
    throw new TokenizerError("added_tokens", "is no list of at most 1024");
  const tokens = value.map((entry: unknown, index) => {
    const path = `added_tokens[${index}]`;
    const token = objectAt(entry, path);
    const flags = { single_word: [false], lstrip: [false], rstrip: [false], normalized: anything };
    refuseOthers(token, path, { id: anything, content: anything, special: [true, false], ...flags });
    const content = stringAt(token["content"], `${path}.content`);
    return { id: numberAt(token["id"], `${path}.id`), content, isSpecial: token["special"] === true };
  });
  for (const { content } of tokens) {
    // Which of the two a text would hold is a matter of the engine; here it must not matter.
    const longer = tokens.filter((other) => other.content.startsWith(content));
    if (content === "" || longer.length > 1) {
      throw new TokenizerError(
        "added_tokens",
        `${JSON.stringify(content)} is empty, repeated, or the beginning of another`,
      );
    }
  }
  return tokens;
}

/** The id of every token, added ones included. Ids must be 0, 1, 2, … without a gap. */
function readVocabulary(value: unknown, addedTokens: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const idOf = new Map<string, number>();
  for (const [token, id] of Object.entries(objectAt(value, "model.vocab"))) {
    idOf.set(token, numberAt(id, `model.vocab[${JSON.stringify(token.slice(0, 100))}]`));
  }
  for (const [token, id] of addedTokens) {
    if ((idOf.get(token) ?? id) !== id)
      throw new TokenizerError("added_tokens", `${token} has another id in model.vocab`);
    idOf.set(token, id);
  }
  if (idOf.size > maximumVocabulary) {
    throw new TokenizerError("model.vocab", `has ${idOf.size} entries; at most ${maximumVocabulary} fit 16-bit ids`);
  }
  if (new Set(idOf.values()).size !== idOf.size || Math.max(...idOf.values()) !== idOf.size - 1) {
    throw new TokenizerError(
      "model.vocab",
      `the ids of its ${idOf.size} entries are not 0 to ${idOf.size - 1}, each once`,
    );
  }
  return idOf;
}

function bytesById(idOf: ReadonlyMap<string, number>, addedTokens: ReadonlyMap<string, number>): Uint8Array[] {
  const encoder = new TextEncoder();
  const tokenBytes: Uint8Array[] = [];
  for (const [token, id] of idOf) tokenBytes[id] = addedTokens.has(token) ? encoder.encode(token) : bytesOf(token, id);
  return tokenBytes;
}

function bytesOf(token: string, id: number): Uint8Array {
  if (token === "") throw new TokenizerError("model.vocab", `token ${id} is empty`);
  return Uint8Array.from(token, (character) => {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) {
      throw new TokenizerError(
        "model.vocab",
        `token ${id} holds ${JSON.stringify(character)}, which stands for no byte`,
      );
    }
    return byte;
  });
}

function readMerges(
  value: unknown,
  idOf: ReadonlyMap<string, number>,
  addedTokens: ReadonlyMap<string, number>,
): Merge[] {
  if (!Array.isArray(value) || value.length > 2 * maximumVocabulary) {
    throw new TokenizerError("model.merges", `is no list of at most ${2 * maximumVocabulary}`);
  }
  const idAt = (token: string, rank: number) => {
    const id = addedTokens.has(token) ? undefined : idOf.get(token);
    if (id === undefined)
      throw new TokenizerError(`model.merges[${rank}]`, "names a token that is not in the vocabulary");
    return id;
  };
  return value.map((entry: unknown, rank) => {
    const [left, right] = pairOf(entry, rank);
    return { left: idAt(left, rank), right: idAt(right, rank), merged: idAt(left + right, rank) };
  });
}

/** `["a", "b"]`, or `"a b"` as older files have it. */
function pairOf(entry: unknown, rank: number): readonly [string, string] {
  const parts: unknown = typeof entry === "string" ? entry.split(" ") : entry;
  if (Array.isArray(parts) && parts.length === 2) {
    const [left, right]: unknown[] = parts;
    if (typeof left === "string" && typeof right === "string") return [left, right];
  }
  throw new TokenizerError(`model.merges[${rank}]`, "is no pair of tokens");
}
