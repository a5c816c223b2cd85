/** Leases at a real broker: taken by one, kept while renewed, handed on when not. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connectBroker, ensureTopology } from "@pretrain/events";
import { startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { LeaseSchema } from "@pretrain/proto";
import { temporaryDirectory, until } from "@pretrain/testing";
import { type LeaseOptions, Leases } from "./index.ts";

const log = createLog("leases-test", "fatal");
const timeoutMs = 60_000;

async function setUp(t: TestContext, ttlMs: number) {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: temporaryDirectory(t) }));
  const broker = running.use(await connectBroker({ url: server.url, name: "test", log }));
  await ensureTopology(broker);
  const records = await broker.expiringRecords("pretrain_leases", LeaseSchema);
  const leases = new Leases(records, ttlMs, log);
  const acquire = (nonce: string, more: Partial<LeaseOptions> = {}) =>
    leases.acquire("a", { attempt: 1, nonce, worker: "test", isSuperseded: async () => false, ...more });
  return { server, records, leases, acquire };
}

test("of ten that want it at once one gets it, keeps it for longer than it lives, and hands it on by letting go", async (t) => {
  const { acquire, records } = await setUp(t, 1_000);
  const won = (await Promise.all(Array.from({ length: 10 }, (_, i) => acquire(`${i}`)))).filter(
    (each) => each !== undefined,
  );
  assert.equal(won.length, 1);
  const [lease] = won;
  lease?.isFor(7);
  const revision = (await records.get("a"))?.revision ?? 0;
  await until(async () => ((await records.get("a"))?.revision ?? 0) >= revision + 6, { timeoutMs }); // two lives of it
  assert.equal((await records.get("a"))?.value.attempt, 7);
  assert.equal(await acquire("other"), undefined);
  await lease?.[Symbol.asyncDispose]();
  const next = await acquire("other");
  assert.ok(next !== undefined);
  await next[Symbol.asyncDispose]();
});

test("a broker that is away makes a lease overdue and not lost; when it is back, the lease goes on though it had expired", async (t) => {
  const { server, acquire, records } = await setUp(t, 1_000);
  await using lease = await acquire("ours");
  process.kill(server.pid, "SIGSTOP");
  await until(() => lease?.standing() === "overdue", { timeoutMs });
  process.kill(server.pid, "SIGCONT");
  await until(() => lease?.standing() === "held", { timeoutMs });
  await until(async () => (await records.get("a"))?.value.attemptNonce === "ours", { timeoutMs });
});

for (const [claim, isSuperseded] of [
  ["a lease that another one took while the broker could not be heard is lost", false],
  ["a lease that expired is not taken again when somebody has begun since", true],
] as const) {
  test(claim, async (t) => {
    const { acquire, records } = await setUp(t, 1_000);
    const lease = await acquire("ours", { isSuperseded: async () => isSuperseded });
    assert.equal(lease?.standing(), "held");
    const found = await records.get("a");
    await records.remove("a", found?.revision ?? 0).catch(() => assert.fail("it was renewed in between; run it again"));
    if (!isSuperseded)
      await records.create("a", { ...(found?.value ?? assert.fail()), attemptNonce: "theirs" }, 60_000);
    await until(() => lease?.standing() === "lost", { timeoutMs });
    assert.ok(lease?.lost.aborted);
    await lease?.[Symbol.asyncDispose](); // and takes nothing of the other's with it
    assert.equal((await records.get("a"))?.value.attemptNonce, isSuperseded ? undefined : "theirs");
  });
}
