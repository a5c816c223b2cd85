/** Several workers at one queue, over a real broker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { connectBroker, ensureTopology, work } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { EvaluateWorkSchema } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { takeEvaluations } from "./take-evaluations.ts";

const log = createLog("test", "fatal");

test("any number of workers take different evaluations, at the same time, and together each of them once", async (t) => {
  await using opened = new AsyncDisposableStack();
  const nats = opened.use(await startNatsServer({ port: 0, storeDirectory: temporaryDirectory(t) }));
  const connection = async (name: string) => opened.use(await connectBroker({ url: nats.url, name, log }));
  const broker = await connection("evaluator");
  await ensureTopology(broker);
  const ids = ["a-8", "a-16", "a-24", "b-8", "b-16", "c-8", "c-16"];
  for (const id of ids) {
    await broker.enqueue(work.evaluate, create(EvaluateWorkSchema, { evaluation: `evaluations/${id}` }), id);
  }

  const workers = ["one", "two", "three"] as const;
  const taken: { readonly worker: string; readonly id: string }[] = [];
  const gate = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const running = workers.map(async (worker) => {
    const carryOut = async (id: string) => {
      taken.push({ worker, id });
      await gate.promise; // an evaluation that takes as long as all others
      return { kind: "done" } as const;
    };
    const limits = { idleMs: 600_000, stopping: stopping.signal };
    await takeEvaluations({ broker: await connection(worker), carryOut, ...limits, log });
  });

  await until(() => taken.length === workers.length, { timeoutMs: 60_000 });
  assert.deepEqual(new Set(taken.map(({ worker }) => worker)), new Set(workers), "all of them work at once");
  gate.resolve();
  await until(async () => !(await broker.hasWork(work.evaluate)), { timeoutMs: 60_000 });
  stopping.abort();
  await Promise.all(running);
  assert.deepEqual(taken.map(({ id }) => id).sort(), ids.toSorted());
});
