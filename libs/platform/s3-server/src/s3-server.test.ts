/** The server is real, alone on loopback, and leaves with its test. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { startS3Server, whyNoS3Server } from "./index.ts";

test("it refuses a stranger, listens on loopback only, and is gone when it is disposed of", {
  skip: whyNoS3Server(),
}, async (t) => {
  const server = await startS3Server(join(temporaryDirectory(t), "s3"));
  t.after(() => server[Symbol.asyncDispose]());
  assert.equal((await fetch(`${server.endpoint}/${server.bucket}?list-type=2`)).status, 403);
  const sockets = spawnSync("ss", ["-ltnpH"], { encoding: "utf8" });
  if (sockets.status === 0) {
    const own = sockets.stdout.split("\n").filter((line) => line.includes(`pid=${server.pid},`));
    assert.equal(own.length, 8, sockets.stdout);
    for (const line of own) assert.match(line, / 127\.0\.0\.1:/);
  }
  await server[Symbol.asyncDispose]();
  await assert.rejects(fetch(server.endpoint));
});
