/** A folder appears whole or not at all, also when the process that fills it is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { completeFolder } from "./complete-folder.ts";

test("the folder has its name only after it is filled", async (t) => {
  const destination = join(temporaryDirectory(t), "native", "thing-1.0");
  await completeFolder(destination, async (folder) => {
    assert.equal(existsSync(destination), false);
    await writeFile(join(folder, "library"), "bytes");
  });
  assert.equal(await readFile(join(destination, "library"), "utf8"), "bytes");
  assert.deepEqual(await readdir(join(destination, "..")), ["thing-1.0"]);
});

test("nothing remains of a folder whose filling failed", async (t) => {
  const root = temporaryDirectory(t);
  const failing = completeFolder(join(root, "thing"), async (folder) => {
    await writeFile(join(folder, "half"), "");
    throw new Error("no compiler");
  });
  await assert.rejects(failing, /no compiler/);
  assert.deepEqual(await readdir(root), []);
});

test("of two processes that build the same folder the first one's stays", async (t) => {
  const destination = join(temporaryDirectory(t), "thing");
  await completeFolder(destination, async (folder) => {
    await mkdir(destination); // the other process is faster
    await writeFile(join(destination, "from"), "the other");
    await writeFile(join(folder, "from"), "this one");
  });
  assert.equal(await readFile(join(destination, "from"), "utf8"), "the other");
});

test("what a killed process left half is not taken for complete, and the next run removes it", async (t) => {
  const root = temporaryDirectory(t);
  const module = JSON.stringify(new URL("complete-folder.ts", import.meta.url).href);
  const script = `
    const { completeFolder } = await import(${module});
    const { writeFileSync } = await import("node:fs");
    await completeFolder(${JSON.stringify(join(root, "thing"))}, async (folder) => {
      writeFileSync(folder + "/half", "");
      console.log("half");
      setInterval(() => {}, 1000);
      await new Promise(() => {});
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  child.kill("SIGKILL");
  await ended;
  assert.deepEqual(await readdir(root), [`.thing.${child.pid}.building`]);
  await completeFolder(join(root, "thing"), (folder) => writeFile(join(folder, "whole"), ""));
  assert.deepEqual(await readdir(root), ["thing"]);
  assert.deepEqual(await readdir(join(root, "thing")), ["whole"]);
});
