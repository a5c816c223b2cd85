/** A service that resets a call is one that cannot be reached; a call that its caller ends is cancelled. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { type TestContext, test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { Unavailable } from "@pretrain/errors";
import { health } from "@pretrain/proto";
import { connectClient } from "./index.ts";

/** A server that resets every call with this code; without one it never answers. */
async function serverAnswering(t: TestContext, code: number | undefined): Promise<string> {
  const server = createServer();
  server.on("sessionError", () => undefined);
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    if (code !== undefined) stream.close(code);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

test("a call that the service resets with CANCEL, as one that drains does, is Unavailable: it may be tried again", async (t) => {
  using client = connectClient(health.Health, await serverAnswering(t, constants.NGHTTP2_CANCEL));
  await assert.rejects(client.check({}), Unavailable);
  await assert.rejects(async () => {
    for await (const _ of client.watch({})) assert.fail("there is no answer");
  }, Unavailable);
});

test("so is one that it refuses, as one does that takes no more calls on a connection, and one whose connection is reset", async (t) => {
  using refused = connectClient(health.Health, await serverAnswering(t, constants.NGHTTP2_REFUSED_STREAM));
  await assert.rejects(refused.check({}), Unavailable);
  const resetting = createTcpServer((socket) => socket.resetAndDestroy());
  resetting.listen(0, "127.0.0.1");
  await once(resetting, "listening");
  t.after(() => void resetting.close());
  const address = resetting.address();
  using reset = connectClient(health.Health, `127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
  await assert.rejects(reset.check({}), Unavailable);
});

test("a call that its caller has cancelled is no fault of the service", async (t) => {
  using client = connectClient(health.Health, await serverAnswering(t, undefined));
  const caller = new AbortController();
  const answer = client.check({}, { signal: caller.signal });
  caller.abort();
  await assert.rejects(answer, (error) => error instanceof ConnectError && !(error instanceof Unavailable));
});
