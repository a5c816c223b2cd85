/** A disk that fails a sync: whoever asks again would hear that all is well, so nobody asks again. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { openSpool } from "./index.ts";

const strace = spawnSync("strace", ["-e", "inject=fsync:error=EIO", "true"]);
const skip = strace.status === 0 ? false : "strace cannot inject errors here";

/** A process with a spool that does what it is told, a line at a time, and says what came of it. */
const script = (folder: string) => `
  const { createInterface } = await import("node:readline");
  const { openSpool } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
  const spool = openSpool(${JSON.stringify(folder)}, { limitBytes: 1000 });
  const does = {
    append: () => spool.append(new TextEncoder().encode("kept")),
    flush: () => spool.flush(),
  };
  console.log("open");
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      await does[line]();
      console.log("done");
    } catch (error) {
      console.log(error.reason ?? error.code);
    }
  }`;

function started(t: TestContext, command: string, parameters: readonly string[]): ChildProcess {
  const child = spawn(command, parameters, { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => void child.kill("SIGKILL"));
  return child;
}

test("a failed sync is told, the spool takes nothing more, and the next process writes all of it anew", {
  skip,
}, async (t) => {
  const folder = temporaryDirectory(t);
  const holder = started(t, process.execPath, ["--input-type=module", "--eval", script(folder)]);
  const lines = createInterface({ input: holder.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  const ask = (word: string) => {
    holder.stdin?.write(`${word}\n`);
    return next();
  };
  assert.deepEqual([await next(), await ask("append"), await ask("flush")], ["open", "done", "done"]);

  const tracer = started(t, "strace", [
    "-f",
    "-p",
    String(holder.pid),
    "-e",
    "trace=fsync",
    "-e",
    "inject=fsync:error=EIO:when=1",
  ]);
  await once(tracer.stderr ?? tracer, "data"); // "attached"
  assert.equal(await ask("append"), "done");
  assert.equal(await ask("flush"), "SPOOL_SYNC_FAILED");
  for (const word of ["flush", "append", "flush"]) assert.equal(await ask(word), "SPOOL_SYNC_FAILED"); // no error is injected any more

  holder.kill("SIGKILL");
  await once(holder, "exit");
  using spool = openSpool(folder, { limitBytes: 1000 });
  assert.equal(spool.length, 2);
  await spool.flush();
});
