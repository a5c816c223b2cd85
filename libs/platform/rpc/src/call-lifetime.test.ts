/** What ends a unary call whose method looks at nothing: its caller, its server, its time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnaryRequest } from "@connectrpc/connect";
import { Draining, limitLifetime } from "./call-lifetime.ts";

/** A call that never ends, of which `signal` is told what its method is told. */
function endless(draining: Draining, longestMs: number, caller = new AbortController()) {
  let signal: AbortSignal | undefined;
  const begin = limitLifetime(
    draining,
    longestMs,
  )((request) => {
    signal = request.signal;
    return new Promise(() => undefined);
  });
  const ended = begin({ stream: false, signal: caller.signal } as UnaryRequest).then(
    () => assert.fail("it has no answer"),
    (reason: unknown) => reason,
  );
  return { ended, signal: () => signal };
}

test("a caller that is gone ends it, also one that was gone before", async () => {
  for (const isGoneBefore of [false, true]) {
    const caller = new AbortController();
    if (isGoneBefore) caller.abort("gone");
    const { ended, signal } = endless(new Draining(), 60_000, caller);
    caller.abort("gone");
    assert.equal(await ended, "gone");
    assert.equal(signal()?.reason, "gone");
  }
});

test("a server that ends ends it, once streams had to end and calls had their time", async () => {
  const draining = new Draining();
  const { ended, signal } = endless(draining, 60_000);
  draining.endStreams();
  assert.equal(signal()?.aborted, false);
  draining.endAll();
  assert.match(String(await ended), /the service is being stopped/);
  assert.equal(signal()?.aborted, true);
});

test("the longest time ends it", async () => {
  assert.match(String(await endless(new Draining(), 10).ended), /a call may take .* minutes at most/);
});
