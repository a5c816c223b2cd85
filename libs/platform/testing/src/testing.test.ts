import assert from "node:assert/strict";
import { existsSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, until } from "./index.ts";

test("a temporary directory is empty, free of symbolic links, and gone after the test with all it holds", async (t) => {
  let path = "";
  await t.test("inner", (inner) => {
    path = temporaryDirectory(inner);
    assert.deepEqual(readdirSync(path), []);
    assert.equal(realpathSync(path), path);
    writeFileSync(join(path, "file"), "x");
  });
  assert.equal(existsSync(path), false);
});

test("until returns the first truthy answer and counts an error as not yet", async () => {
  let calls = 0;
  const answer = await until(() => {
    calls += 1;
    if (calls === 1) throw new Error("not there");
    return calls === 3 && "third";
  });
  assert.equal(answer, "third");
});

test("until gives up after its time with the last answer or the last error", async () => {
  await assert.rejects(
    until(() => false, { timeoutMs: 10 }),
    /within 10 ms: the last answer was false/,
  );
  const cause = new Error("no broker");
  const failing = until(() => Promise.reject(cause), { timeoutMs: 10 });
  await assert.rejects(failing, { message: /no broker/, cause });
});
