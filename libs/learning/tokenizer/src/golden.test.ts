/** Ids, texts and rows as Python's `tokenizers` gives them for MiniMind's vocabulary. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type GoldenSet, goldenTest } from "@pretrain/golden";
import { loadTokenizer, type Tokenizer, wrappedRow } from "./index.ts";

interface Golden {
  readonly tokenizer_sha256: string;
  readonly vocab_size: number;
  readonly special: Readonly<Record<string, number>>;
  readonly encode: readonly {
    readonly name: string;
    readonly text: string;
    readonly ids: readonly number[];
    readonly token_bytes: readonly number[];
    readonly decoded: string;
    readonly decoded_skip_special: string;
  }[];
  readonly decode: readonly {
    readonly name: string;
    readonly ids: readonly number[];
    readonly bytes_hex: string;
    readonly decoded: string;
    readonly decoded_skip_special: string;
  }[];
  readonly rows: readonly {
    readonly name: string;
    readonly text: string;
    readonly max_length: number;
    readonly untruncated_tokens: number;
    readonly real_tokens: number;
    readonly ids: readonly number[];
  }[];
}

interface Manifest {
  readonly tokenizer_sha256: string;
  readonly files: Readonly<
    Record<
      string,
      {
        readonly tokens: number;
        readonly ids_u16le_sha256: string;
        readonly at_512?: {
          readonly rows_cut: number;
          readonly tokens_lost: number;
          readonly tokens_kept: number;
          readonly targets_with_loss: number;
        };
      }
    >
  >;
}

const load = (set: GoldenSet): Tokenizer => loadTokenizer(readFileSync(set.path("tokenizer.json")));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const files = ["tokenizer.json", "golden.json"];

goldenTest(
  "tokenizer",
  files,
  "the file is the one that the golden numbers belong to, and so are its special tokens",
  (set) => {
    const golden = set.json<Golden>("golden.json");
    assert.equal(sha256(readFileSync(set.path("tokenizer.json"))), golden.tokenizer_sha256);
    const { pad, bos, eos } = load(set).specialTokens;
    assert.deepEqual({ "<|endoftext|>": pad, "<|im_start|>": bos, "<|im_end|>": eos }, golden.special);
    assert.equal(load(set).vocabularySize, golden.vocab_size);
  },
);

goldenTest("tokenizer", files, "every text has the ids of the reference, and every token its bytes", (set) => {
  const tokenizer = load(set);
  for (const { name, text, ids, token_bytes } of set.json<Golden>("golden.json").encode) {
    assert.deepEqual([...tokenizer.encode(text)], ids, name);
    assert.deepEqual(
      ids.map((id) => tokenizer.tokenBytes(id).length),
      token_bytes,
      name,
    );
  }
});

goldenTest("tokenizer", files, "every list of ids has the text of the reference, at once and token by token", (set) => {
  const tokenizer = load(set);
  const { encode, decode } = set.json<Golden>("golden.json");
  for (const { name, ids, decoded, decoded_skip_special } of [...encode, ...decode]) {
    for (const [skipSpecialTokens, expected] of [
      [false, decoded],
      [true, decoded_skip_special],
    ] as const) {
      assert.equal(tokenizer.decode(ids, { skipSpecialTokens }), expected, name);
      const stream = tokenizer.streamDecoder({ skipSpecialTokens });
      assert.equal(ids.map((id) => stream.push(id)).join("") + stream.end(), expected, name);
    }
  }
  for (const { name, ids, bytes_hex } of decode) {
    assert.equal(Buffer.concat(ids.map((id) => tokenizer.tokenBytes(id))).toString("hex"), bytes_hex, name);
  }
});

goldenTest(
  "tokenizer",
  files,
  "every row is wrapped and cut as recorded, but markers in the text are not doubled",
  (set) => {
    const tokenizer = load(set);
    const { bos, eos } = tokenizer.specialTokens;
    for (const golden of set.json<Golden>("golden.json").rows) {
      const { name, text, max_length: maximumLength, untruncated_tokens, real_tokens } = golden;
      const row = wrappedRow(tokenizer.encode(text), tokenizer.specialTokens, { maximumLength, cut: "after_wrap" });
      // The set's rule wraps whatever it is given; here a text that carries the markers stays as it is.
      const isDoubled = name === "text-already-wrapped";
      const expected = golden.ids.slice(0, real_tokens);
      assert.deepEqual([...row.ids], isDoubled ? expected.slice(1, -1) : expected, name);
      assert.equal(row.wasWrapped, isDoubled, name);
      assert.equal(row.tokensLost, isDoubled ? 0 : untruncated_tokens - real_tokens, name);
      if (isDoubled) assert.deepEqual([expected.at(0), expected.at(1), ...expected.slice(-2)], [bos, bos, eos, eos]);
    }
  },
);

goldenTest(
  "corpora",
  ["manifest.json", "../tokenizer/tokenizer.json"],
  "whole corpora have the digests of the reference",
  (set) => {
    const manifest = set.json<Manifest>("manifest.json");
    const json = readFileSync(resolve(set.folder, "../tokenizer/tokenizer.json"));
    assert.equal(sha256(json), manifest.tokenizer_sha256);
    const tokenizer = loadTokenizer(json);
    for (const [file, expected] of Object.entries(manifest.files)) {
      const content = readFileSync(set.path(file), "utf8");
      const texts = file.endsWith(".jsonl") ? rowsOf(content) : [content];
      const ids = Buffer.concat(texts.map((text) => Buffer.from(tokenizer.encode(text).buffer)));
      assert.equal(ids.length / 2, expected.tokens, file);
      assert.equal(sha256(ids), expected.ids_u16le_sha256, file);
    }
  },
);

goldenTest(
  "corpora",
  ["manifest.json", "../tokenizer/tokenizer.json"],
  "of rows cut at 512 as many tokens are lost, kept and targets as in the reference",
  (set) => {
    const tokenizer = loadTokenizer(readFileSync(resolve(set.folder, "../tokenizer/tokenizer.json")));
    const rule = { maximumLength: 512, cut: "after_wrap" } as const;
    for (const [file, { at_512: expected }] of Object.entries(set.json<Manifest>("manifest.json").files)) {
      if (expected === undefined) continue; // of plain texts nothing is cut
      const rows = rowsOf(readFileSync(set.path(file), "utf8")).map((text) =>
        wrappedRow(tokenizer.encode(text), tokenizer.specialTokens, rule),
      );
      const kept = rows.reduce((sum, { ids }) => sum + ids.length, 0);
      const found = {
        rows_cut: rows.filter(({ tokensLost }) => tokensLost > 0).length,
        tokens_lost: rows.reduce((sum, { tokensLost }) => sum + tokensLost, 0),
        tokens_kept: kept,
        targets_with_loss: kept - rows.length, // all but a row's first
      };
      assert.deepEqual({ ...expected, ...found }, expected, file);
    }
  },
);

function rowsOf(jsonl: string): string[] {
  return jsonl
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { readonly text: string }).text);
}
