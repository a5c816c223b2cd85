/** Services in the wrong order: each waits for what it cannot do without, says what that is, and goes on by itself. */
import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { environmentOf, type ServiceName, type ServiceProcess, serviceAddresses, startService } from "@pretrain/cli";
import { freePort } from "@pretrain/free-ports";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import { writeChapters } from "./chapters.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

const patience = { timeoutMs: 120_000 };

async function places(t: TestContext) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  for (const folder of [dataRoot, join(stateDirectory, "logs")]) await mkdir(folder, { recursive: true });
  await writeChapters(join(dataRoot, "chapters.jsonl"));
  const addresses = await serviceAddresses("free");
  const port = await freePort();
  const blobsFolder = join(stateDirectory, "blobs");
  const [natsUrl, blobsUrl] = [`nats://127.0.0.1:${port}`, `file://${blobsFolder}`];
  const surroundings = { stateDirectory, dataRoots: [dataRoot], addresses, natsUrl, blobsUrl };
  await ensureNatsServer();
  return {
    addresses,
    blobsFolder,
    start: async (name: ServiceName) => {
      const logFile = join(stateDirectory, "logs", `${name}.log`);
      return running.use(await startService({ name, environment: environmentOf(name, surroundings), logFile }));
    },
    startBroker: async () => running.use(await startNatsServer({ port, storeDirectory: join(stateDirectory, "nats") })),
  };
}

async function saysThatItWaitsFor(service: ServiceProcess, what: RegExp): Promise<void> {
  await until(async () => what.test(await readFile(service.logFile, "utf8")), patience);
}

test("whoever is started first waits for the others, says for whom, and the experiment completes", async (t) => {
  const { addresses, blobsFolder, start, startBroker } = await places(t);
  await writeFile(blobsFolder, "a file where the store's folder is to be");
  const early = await Promise.all((["report", "evaluator", "trainer"] as const).map(start));
  for (const service of early) await saysThatItWaitsFor(service, /"msg":"waits for the store file:/);
  await rm(blobsFolder);
  for (const service of early) await saysThatItWaitsFor(service, /"msg":"waits for the broker at nats:.*"/);
  await startBroker();
  const [report, evaluator, trainer] = early;
  assert.ok(report && evaluator && trainer);
  await Promise.all([
    report.serving(addresses.report.grpc),
    evaluator.serving(addresses.evaluator.grpc),
    trainer.serving(addresses.trainer.grpc),
  ]);

  using client = connectClient(TrainerService, addresses.trainer.grpc);
  const { name } = await client.startExperiment({ experimentId: "early", recipe: tinyRecipe });
  await saysThatItWaitsFor(trainer, /"msg":"waits for data-shard: /);
  const dataShard = await start("data-shard");
  await dataShard.serving(addresses["data-shard"].grpc);
  const isOver = async () => (await client.getExperiment({ name })).state === State.COMPLETED;
  await until(isOver, patience);
});
