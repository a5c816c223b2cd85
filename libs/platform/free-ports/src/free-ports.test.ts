/** Ports are free, differ, and are one process's own, wherever another asks at the same time. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, freePorts } from "./index.ts";

const entry = fileURLToPath(new URL("./index.ts", import.meta.url));

test("all can be listened on at once, and none is one that the system gives to whoever asks for any", async (t) => {
  const ports = await freePorts(9);
  assert.equal(new Set(ports).size, 9);
  for (const port of ports) {
    const server = createServer().listen(port, "127.0.0.1");
    t.after(() => void server.close());
    await once(server, "listening");
    assert.ok(port >= 20_000 && port < 32_768, `${port} is ephemeral`);
  }
});

test("asked for at the same time, no port is given twice", async () => {
  const ports = await Promise.all(Array.from({ length: 30 }, freePort));
  assert.equal(new Set(ports).size, 30);
});

test("a port on which somebody listens is left out, however often all of them come round", async (t) => {
  const taken = await freePort();
  const server = createServer().listen(taken, "127.0.0.1");
  t.after(() => void server.close());
  await once(server, "listening");
  for (let given = 0; given < 130; given += 1) assert.notEqual(await freePort(), taken);
});

test("processes that ask at the same time are given ports that differ, while they live", async () => {
  const program = `import { freePorts } from ${JSON.stringify(entry)};
    console.log(JSON.stringify(await freePorts(20)));
    setTimeout(() => {}, 2000);`;
  const run = async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    return JSON.parse(stdout) as number[];
  };
  const ports = (await Promise.all([run(), run(), run(), freePorts(20)])).flat();
  assert.equal(new Set(ports).size, 80);
});

test("more than there are is refused, with what was wanted", async () => {
  await assert.rejects(freePorts(64), /wanted 64 ports of \d+ to \d+ on 127\.0\.0\.1/);
});
