/** A program that started the system and was killed could run nothing any more: the services notice by themselves. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, until } from "@pretrain/testing";
import { processesOf } from "./chaos/system/processes.ts";

test("when `pretrain` is killed, broker, services and workers end", async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, "data"));
  const options = { stateDirectory: join(folder, "state"), dataRoots: [join(folder, "data")], ports: "free" };
  const program = `import { startLocalSystem } from "@pretrain/cli";
    await startLocalSystem(${JSON.stringify(options)});
    process.stdout.write("serving");
    setInterval(() => undefined, 1000);`;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => {
    starter.kill("SIGKILL");
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
  });
  await once(starter.stdout, "data");
  assert.ok(processesOf(folder).length >= 5, "the broker and four services");
  starter.kill("SIGKILL");
  await until(() => processesOf(folder).length === 0, { timeoutMs: 60_000 });
});
