import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { isCopy, placesOf, roots } from "./golden-sets.ts";
import { assertClose, goldenSets, goldenTest } from "./index.ts";

void test("the repository's own sets come first, and hold the sizes that their files say", () => {
  const [own] = goldenSets("golden-model");
  assert.equal(own?.title, "golden-model in testdata");
  assert.equal(own?.json<{ vocab_size: number }>("config.json").vocab_size, 64);
  assert.deepEqual(own?.tensors("weights.f32.safetensors").get("tok_embeddings.weight")?.shape, [64, 32]);
});

void test("PRETRAIN_TESTDATA adds its folders; empty parts are none, a folder that is not there is an error", () => {
  assert.deepEqual(roots(""), ["testdata"]);
  assert.deepEqual(roots("testdata::libs"), ["testdata", "testdata", "libs"]);
  assert.throws(
    () => roots("testdata:/no/such/folder"),
    /PRETRAIN_TESTDATA names \/no\/such\/folder, which is not there/,
  );
});

void test("a set whose numbers are those of testdata again is a copy; one other number, and it is a set of its own", (t) => {
  const folder = temporaryDirectory(t);
  const own = placesOf("golden-eval")[0];
  assert.ok(own);
  const again = { ...own, folder, path: (file: string) => join(folder, file) };
  const files = ["slices.json", "stream.json"];
  for (const file of files) copyFileSync(own.path(file), join(folder, file));
  assert.ok(isCopy(again, "golden-eval", files));
  assert.ok(!isCopy(own, "golden-eval", files), "it is no copy of itself");
  writeFileSync(join(folder, "stream.json"), readFileSync(own.path("stream.json"), "utf8").replace(/\d/, "9"));
  assert.ok(!isCopy(again, "golden-eval", files));
});

goldenTest(
  "golden-model",
  ["expected.json", "weights.f32.safetensors"],
  "the files are those that were made",
  async (set) => {
    const expected = set.json<{ sha256: Record<string, string> }>("expected.json").sha256;
    for (const [file, sha256] of Object.entries(expected).filter(([file]) => set.has(file))) {
      const digest = await crypto.subtle.digest("SHA-256", readFileSync(set.path(file)));
      assert.equal(new Uint8Array(digest).toHex(), sha256, file);
    }
  },
);

void test("numbers are close when every difference is within the bound", () => {
  assertClose(1.5, 1, 0.5);
  assertClose([1, -100], [1.9, -100.9], { relative: 0.01 });
  assertClose([Infinity, 0], [Infinity, -0], 0);
  assertClose([], [], 0);
});

for (const [claim, actual, expected, message] of [
  ["one number too far", [0, 1, 3], [0, 1, 2.5], /\[2\]: 3, expected 2.5; they differ by 0.5/],
  ["NaN where a number belongs", [0, NaN], [0, 1], /\[1\]: NaN, expected 1/],
  ["NaN for NaN", NaN, NaN, /NaN, expected NaN/],
  ["a number for an infinity", [1], [Infinity], /differ by Infinity/],
  ["fewer numbers", [1], [1, 2], /1 numbers, expected 2/],
] as const) {
  void test(`numbers are not close: ${claim}`, () => {
    assert.throws(() => assertClose(actual, expected, 0.4), message);
  });
}
