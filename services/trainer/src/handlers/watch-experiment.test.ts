/** Watchers over the wire and a real broker: who does not read costs nobody anything but himself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { connectBroker, ensureTopology } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import {
  DataShardService,
  ExperimentRecordSchema,
  Experiment_Priority as Priority,
  ProgressSchema,
  RecipeSchema,
  TrainerService,
} from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import { connectClient, serveGrpc } from "@pretrain/rpc";
import { type TestScope, temporaryDirectory, until } from "@pretrain/testing";
import { experimentFacts } from "../experiment/experiment-facts.ts";
import { queued, withFields } from "../experiment/record.ts";
import { Turns } from "../explanation/turns.ts";
import { trainerMethods } from "../methods.ts";
import { Experiments } from "../stores/experiments.ts";

const name = "experiments/a";
const watchers = 50;
const changes = 300;

/** A trainer's API in this process, with an experiment whose every message is 100 KB: more than a connection holds unread. */
async function serve(t: TestScope) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const log = createLog("test", "fatal" as "error");
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log }));
  await ensureTopology(broker);
  const records = await broker.records("pretrain_experiments", ExperimentRecordSchema);
  let reads = 0;
  const counted = { ...records, get: (key: string) => ((reads += 1), records.get(key)) };
  const index = running.use(broker.recordIndex("pretrain_experiments", ExperimentRecordSchema, experimentFacts));
  const copies = { keep: async () => true, knows: async () => false };
  const experiments = new Experiments(counted, broker, copies);
  const blobs = openBlobs(pathToFileURL(folder).href);
  const now = () => new Date(0);
  const explaining = {
    explanations: new Turns(0),
    broker,
    blobsAddress: pathToFileURL(folder).href,
    programsFolder: folder,
    dataShard: running.use(connectClient(DataShardService, "127.0.0.1:1")), // nobody asks it
    startComputing: () => assert.fail("nothing is computed here"),
  };
  const methods = trainerMethods({ experiments, index, blobs, now, log, wake: () => undefined, ...explaining });
  const grpc = running.use(await serveGrpc({ address: "127.0.0.1:0", services: [methods], log }));
  const intent = { purpose: "p".repeat(20_000), focus: "f".repeat(20_000), problem: "q".repeat(20_000) };
  const more = { challenge: "c".repeat(20_000), approach: "a".repeat(20_000) };
  const recipe = completeRecipe(create(RecipeSchema, { data: { path: "b.txt" }, intent: { ...intent, ...more } }));
  const made = { id: "a", title: "a", recipe, requestId: "", requestSha256: "", priority: Priority.NORMAL };
  await experiments.create("a", queued(made, now()));
  const client = () => running.use(connectClient(TrainerService, grpc.address));
  return { client, experiments, reads: () => reads };
}

test("fifty watchers that do not read hold up neither changes nor those who read, and nothing is made for them", async (t) => {
  const { client, experiments, reads } = await serve(t);
  const paused = Array.from({ length: watchers }, () => client().watchExperiment({ name })[Symbol.asyncIterator]());
  await Promise.all(paused.map((watcher) => watcher.next())); // each has the first message, and asks for no other
  const reader = client();
  let seen = 0n;
  const reading = (async () => {
    for await (const { experiment } of reader.watchExperiment({ name })) {
      seen = experiment?.progress?.microStep ?? 0n;
      if (seen === BigInt(changes)) return;
    }
  })();
  const before = reads();
  for (let microStep = 1; microStep <= changes; microStep += 1) {
    const progress = create(ProgressSchema, { microStep: BigInt(microStep) });
    await experiments.change("a", ({ value }) => withFields(value, { progress }));
  }
  await until(() => seen === BigInt(changes), { timeoutMs: 120_000 });
  await reading;
  const forPaused = reads() - before - 2 * changes; // each change reads once, and the reader at most once for each
  assert.ok(forPaused <= 5 * watchers, `${forPaused} reads for ${watchers} watchers that take nothing`);
  const [late] = paused;
  const next = await late?.next(); // whoever reads again goes on
  assert.equal(next?.done, false);
  for (const watcher of paused) await watcher.return?.();
});
