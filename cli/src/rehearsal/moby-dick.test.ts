import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { rowsOf, writeMobyDick } from "./moby-dick.ts";

test("sentences are joined until a row is long enough, and no word is lost", () => {
  const long = `${"w".repeat(559)}.`;
  assert.deepEqual(rowsOf(`One. Two?\n\n${long} "Three!" four`), [`One. Two?\n\n${long}`, '"Three!" four']);
  assert.deepEqual(rowsOf(" \n\n "), []);
});

test("the book becomes rows of text, the first of them its first chapter's", async (t) => {
  const file = join(temporaryDirectory(t), "data", "moby-dick.jsonl");
  await writeMobyDick(file);
  const rows = (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).text);
  assert.ok(rows.some((text) => text.startsWith("Call me Ishmael.")));
  assert.ok(rows.length > 1500 && rows.length < 2500, `${rows.length} rows`);
  const characters = rows.reduce((sum: number, text: string) => sum + text.length, 0);
  assert.ok(characters > 1_190_000, `${characters} characters`);
});
