/** What lies in a folder after an export, and after one that went wrong. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataLoss, FailedPrecondition } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { writeFolder } from "./exported-folder.ts";

const contents = new Map([
  ["config.json", ["{", "}"]],
  ["model.safetensors", ["weights", " and ", "more"]],
]);
const files = [...contents].map(([name, pieces]) => {
  return { name, sha256: createHash("sha256").update(pieces.join("")).digest("hex") };
});
const content = async function* (name: string) {
  for (const piece of contents.get(name) ?? []) yield Buffer.from(piece);
};

test("every file is there with its content, and nothing else", async (t) => {
  const parent = temporaryDirectory(t);
  const folder = join(parent, "exported", "1-4-0");
  await writeFolder(folder, files, content);
  assert.deepEqual(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    [
      ["config.json", "{}"],
      ["model.safetensors", "weights and more"],
    ],
  );
  assert.deepEqual(readdirSync(join(parent, "exported")), ["1-4-0"]);
});

test("an empty folder is taken; one that holds something, and a file, are refused untouched", async (t) => {
  const parent = temporaryDirectory(t);
  mkdirSync(join(parent, "empty"));
  await writeFolder(join(parent, "empty"), files, content);
  await assert.rejects(writeFolder(join(parent, "empty"), files, content), FailedPrecondition);
  writeFileSync(join(parent, "file"), "mine");
  await assert.rejects(writeFolder(join(parent, "file"), files, content), /there is something at/);
  assert.equal(readFileSync(join(parent, "file"), "utf8"), "mine");
});

test("a damaged piece, or an answer that breaks off, leaves nothing behind", async (t) => {
  const parent = temporaryDirectory(t);
  const folder = join(parent, "exported");
  const damaged = async function* () {
    yield Buffer.from("something else");
  };
  const broken = async function* (name: string) {
    yield* content(name);
    throw new Error("the service is gone");
  };
  await assert.rejects(writeFolder(folder, files, damaged), DataLoss);
  await assert.rejects(writeFolder(folder, files, broken), /the service is gone/);
  assert.deepEqual([existsSync(folder), readdirSync(parent)], [false, []]);
});

test("a file that would lie outside the folder is refused by its name", async (t) => {
  const folder = join(temporaryDirectory(t), "exported");
  for (const name of ["../config.json", "/tmp/config.json", "", ".hidden", "a/b"]) {
    await assert.rejects(writeFolder(folder, [{ name, sha256: "" }], content), /is no name of a file/);
  }
  assert.ok(!existsSync(folder));
});
