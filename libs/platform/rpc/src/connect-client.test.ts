/** What a client does about a service that lives and says nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { TrainerService, type WatchExperimentResponse, WatchExperimentResponseSchema } from "@pretrain/proto";
import { connectClient, serveGrpc, service } from "./index.ts";

test("a stream that is silent for too long is Unavailable, and the service is told that nobody reads it", async (t) => {
  const ended = Promise.withResolvers<void>();
  async function* oneThenSilence(
    _request: unknown,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<WatchExperimentResponse> {
    yield create(WatchExperimentResponseSchema);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    ended.resolve();
  }
  const unused = () => assert.fail("nobody calls it");
  const methods = service(TrainerService, {
    startExperiment: unused,
    forkExperiment: unused,
    importCheckpoint: unused,
    getExperiment: unused,
    listExperiments: unused,
    pauseExperiment: unused,
    resumeExperiment: unused,
    cancelExperiment: unused,
    listCheckpoints: unused,
    explainStep: unused,
    watchExperiment: oneThenSilence,
  });
  const log = createLog("test", "fatal" as "error");
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [methods], log });
  t.after(() => server[Symbol.asyncDispose]());
  using client = connectClient(TrainerService, server.address, { streamSilenceMs: 1_500 });
  let messages = 0;
  const reading = (async () => {
    for await (const _ of client.watchExperiment({ name: "experiments/a" })) messages += 1;
  })();
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof Unavailable);
    assert.match(error.message, /its stream has been silent for 1\.5 s; call again/);
    return true;
  });
  assert.equal(messages, 1);
  await ended.promise;
});
