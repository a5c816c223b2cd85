/** Three outcomes of a flipped bit, by readers of three kinds; and each file is as it was afterwards. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256Hex } from "@pretrain/blobs";
import { temporaryDirectory } from "@pretrain/testing";
import { flipBytes } from "./flip-bytes.ts";
import type { Specimen } from "./specimens.ts";

test("a reader that compares digests notices every flip, one that looks at nothing is not harmed, one that believes is found out", async (t) => {
  const folder = temporaryDirectory(t);
  const file = (name: string) => join(folder, name);
  const text = "a few bytes that somebody will read";
  for (const name of ["compared", "ignored", "believed"]) writeFileSync(file(name), text);
  const content = (name: string) => readFileSync(file(name), "latin1");
  const compared = () =>
    sha256Hex(readFileSync(file("compared"))) === sha256Hex(Buffer.from(text))
      ? { content: text }
      : { noticed: "damaged" };
  const specimens: Specimen[] = [
    { name: "compared", files: [file("compared")], read: () => Promise.resolve(compared()) },
    { name: "ignored", files: [file("ignored")], read: () => Promise.resolve({ content: "always the same" }) },
    { name: "believed", files: [file("believed")], read: () => Promise.resolve({ content: content("believed") }) },
  ];
  const counts = await flipBytes(specimens, 60, "1");
  const of = (name: string) => counts.get(name) ?? { noticed: 0, harmless: 0, undetected: [] };
  assert.ok(of("compared").noticed > 5 && of("compared").harmless + of("compared").undetected.length === 0);
  assert.ok(of("ignored").harmless > 5 && of("ignored").noticed + of("ignored").undetected.length === 0);
  assert.ok(of("believed").undetected.length > 5 && of("believed").noticed + of("believed").harmless === 0);
  assert.match(of("believed").undetected[0] ?? "", /believed at byte \d+$/);
  for (const name of ["compared", "ignored", "believed"]) assert.equal(content(name), text);
});

test("a reader that fails has noticed; what is damaged before the first flip is no specimen", async (t) => {
  const path = join(temporaryDirectory(t), "file");
  writeFileSync(path, "whole");
  const strict = (): Promise<{ content: string }> => {
    if (readFileSync(path, "latin1") !== "whole") throw new Error("not whole");
    return Promise.resolve({ content: "whole" });
  };
  const counts = await flipBytes([{ name: "strict", files: [path], read: async () => await strict() }], 5, "1");
  assert.deepEqual(counts.get("strict"), { noticed: 5, harmless: 0, undetected: [] });
  writeFileSync(path, "holed");
  await assert.rejects(
    flipBytes([{ name: "strict", files: [path], read: async () => await strict() }], 1, "1"),
    /not whole/,
  );
});
