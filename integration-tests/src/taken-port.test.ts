/** A port that somebody else holds: what is taken is named, and nothing is left running. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { startLocalSystem } from "@pretrain/cli";
import { FailedPrecondition } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { descendantsOf } from "./process-tree.ts";

test("a taken port is named, and no process is left behind", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  t.after(() => holder.close());
  const address = holder.address();
  assert.ok(address !== null && typeof address === "object");
  const stateDirectory = temporaryDirectory(t);
  const ports = { nats: 0, firstGrpc: address.port, page: 0, firstHttp: 0 };
  await assert.rejects(startLocalSystem({ stateDirectory, dataRoots: [stateDirectory], ports }), (error) => {
    assert.ok(error instanceof FailedPrecondition);
    assert.match(error.message, new RegExp(`127.0.0.1:${address.port} is in use`));
    return true;
  });
  assert.deepEqual(descendantsOf(process.pid), []);
});
