/** Attacks over HTTP/2, each for a moment; `pnpm fuzz --http2` goes on for longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attackServer } from "./attack-server.ts";
import { attacks } from "./http2-attacks.ts";

/** With a heap of 128 MiB, and what 64 connections may hold outside of it. */
const rssLimitBytes = 1024 * 2 ** 20;

test("given attacks over HTTP/2, the server lives, keeps its memory, and answers somebody else's every call", async () => {
  for await (const { attack, answered, failed, rssBytes } of attackServer(Object.keys(attacks), 200)) {
    assert.deepEqual(failed, [], attack);
    assert.ok(answered > 0, `${attack}: nobody else was answered`);
    assert.ok(rssBytes > 0 && rssBytes < rssLimitBytes, `${attack}: ${rssBytes} bytes, 0 when the process is gone`);
  }
});
