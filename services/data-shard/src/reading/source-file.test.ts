/** Between the look at a path and the opening of the file others may change what lies there. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FailedPrecondition, ResourceExhausted } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { digestOfFile, wholeFile } from "./source-file.ts";
import { findSource } from "./source-path.ts";

test("given a path that was found, what lies there through a link put in its way since is not read", async (t) => {
  const folder = await realpath(temporaryDirectory(t));
  const [root, outside] = [join(folder, "data"), join(folder, "outside")];
  for (const each of [join(root, "books"), outside]) mkdirSync(each, { recursive: true });
  writeFileSync(join(root, "books", "a.jsonl"), "ours");
  writeFileSync(join(outside, "a.jsonl"), "secret");
  const found = await findSource([root], "books/a.jsonl", "settings.path");
  assert.ok("path" in found);
  const file = { path: found.path, givenPath: "books/a.jsonl" };
  assert.equal(Buffer.from(await wholeFile(file, 4)).toString(), "ours");
  await assert.rejects(
    wholeFile(file, 3),
    (error) => error instanceof ResourceExhausted && /larger than 3/.test(error.message),
  );
  renameSync(join(root, "books"), join(root, "before"));
  symlinkSync(outside, join(root, "books"));
  for (const read of [() => wholeFile(file, 100), () => digestOfFile(file)]) {
    await assert.rejects(read(), (error) => {
      assert.ok(error instanceof FailedPrecondition && error.reason === "SOURCE_UNREADABLE", String(error));
      assert.match(error.message, /^books\/a\.jsonl failed: it was moved, or replaced by a link/);
      return true;
    });
  }
});
