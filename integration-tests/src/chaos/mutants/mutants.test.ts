/** The mutants are up to date: a safeguard that was moved or renamed must not slip out of sight. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@pretrain/testing";
import { mutants } from "./mutants.ts";
import { mutatedTree } from "./mutated-tree.ts";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));

for (const { name, edits } of mutants) {
  test(`${name}: each line that it removes is in its file exactly once`, () => {
    for (const { file, text } of edits)
      assert.equal(readFileSync(join(checkout, file), "utf8").split(text).length - 1, 1, `${file}:\n${text}`);
  });
}

test("a mutated tree differs in the edited line alone, leaves the original as it is, and goes when it is disposed of", (t) => {
  const original = temporaryDirectory(t);
  mkdirSync(join(original, "folder"));
  writeFileSync(join(original, "folder/edited.ts"), "keep\nremove\nkeep\n");
  writeFileSync(join(original, "folder/shared.ts"), "shared\n");
  const edit = { file: "folder/edited.ts", text: "remove\n", replacement: "" };
  const mutant = { name: "example", lacks: "a line", edits: [edit], run: [] };
  const tree = mutatedTree(original, mutant);
  assert.equal(readFileSync(join(tree.path, "folder/edited.ts"), "utf8"), "keep\nkeep\n");
  assert.equal(readFileSync(join(original, "folder/edited.ts"), "utf8"), "keep\nremove\nkeep\n");
  assert.equal(statSync(join(tree.path, "folder/shared.ts")).ino, statSync(join(original, "folder/shared.ts")).ino);
  tree[Symbol.dispose]();
  assert.throws(() => statSync(tree.path), /ENOENT/);
  const missing = { ...mutant, edits: [{ ...edit, text: "nowhere\n" }] };
  assert.throws(() => mutatedTree(original, missing), /folder\/edited\.ts holds the line to be removed 0 times/);
});
