/** A server that asks who calls: what it makes of it, what it tells, and how it is found. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { FailedPrecondition, PermissionDenied, PretrainError, ResourceExhausted } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { DataShardService, EvaluatorService, health, ReportService, TrainerService } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { defaultLimits } from "./caller-limits.ts";
import { connectClient, serveGrpc, service } from "./index.ts";
import type { Methods } from "./served-service.ts";
import { startGuardedServer } from "./test-support/guarded-server.ts";

const silent = createLog("test", "fatal");

async function outcome(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => "OK",
    (error: unknown) => (error instanceof PretrainError ? error.status : String(error)),
  );
}

test("a server that asks who calls", async (t) => {
  const lines: Record<string, unknown>[] = [];
  t.mock.method(silent, "info", (fields: Record<string, unknown>) => void lines.push(fields));
  const guarded = await startGuardedServer(t, silent);
  const { server, certificates, keyOf, seen, folder } = guarded;
  const tls = { material: { authority: certificates.authority } };
  using anyone = connectClient(TrainerService, server.address, { tls });
  using ada = connectClient(TrainerService, server.address, { tls, authorization: keyOf("ada") });
  using bob = connectClient(TrainerService, server.address, { tls, authorization: keyOf("bob") });

  await t.test("every spelling of an experiment has the rights of the one that is stored", async () => {
    assert.equal(await outcome(ada.pauseExperiment({ name: "experiments/ADA_1" })), "OK");
    assert.equal(await outcome(ada.pauseExperiment({ name: "experiments/bob_1" })), "PERMISSION_DENIED");
    // Bob's grant is for `experiments/exp*`: this begins like it, and is the experiment `1-4-0`.
    assert.equal(await outcome(bob.pauseExperiment({ name: "experiments/experiment_1_4_0" })), "PERMISSION_DENIED");
    assert.equal(await outcome(bob.pauseExperiment({ name: "experiments/experience" })), "OK");
  });

  await t.test(
    "who forks or imports must also be allowed to read what it begins from; who compares, both",
    async () => {
      const fork = (checkpoint: string) => outcome(ada.forkExperiment({ checkpoint, experimentId: "ada-2" }));
      assert.equal(await fork("experiments/ada-1/checkpoints/5"), "OK");
      assert.equal(await fork("experiments/bob-1/checkpoints/5"), "PERMISSION_DENIED");
      const read = (source: string) => outcome(ada.importCheckpoint({ source, experimentId: "ada-2" }));
      assert.deepEqual([await read("imports/ada/x"), await read("imports/adam/x")], ["OK", "PERMISSION_DENIED"]);
      using reports = connectClient(ReportService, server.address, { tls, authorization: keyOf("ada") });
      const compare = (...ids: string[]) =>
        outcome(reports.compareExperiments({ experiments: ids.map((id) => `experiments/${id}`) }));
      assert.deepEqual([await compare("ada-1", "ada-2"), await compare("ada-1", "bob-1")], ["OK", "PERMISSION_DENIED"]);
      using evaluator = connectClient(EvaluatorService, server.address, { tls, authorization: keyOf("ada") });
      const paired = (candidate: string) =>
        outcome(evaluator.compareEvaluations({ baseline: "experiments/ada-1", candidate }));
      assert.deepEqual(
        [await paired("evaluations/ada-1-5"), await paired("evaluations/b")],
        ["OK", "PERMISSION_DENIED"],
      );
      using operator = connectClient(EvaluatorService, server.address, { tls, authorization: keyOf("operator") });
      assert.equal(await outcome(operator.selfTest({})), "OK");
      assert.equal(await outcome(evaluator.selfTest({})), "PERMISSION_DENIED"); // without a checkpoint it is about no resource of hers
    },
  );

  await t.test("who may not is told which role it would take, and of what", async () => {
    await assert.rejects(ada.cancelExperiment({ name: "experiments/bob-1" }), (error) => {
      assert.ok(error instanceof PermissionDenied && error.reason === "ROLE_MISSING");
      assert.match(error.message, /"ada" is no researcher of experiments\/bob-1/);
      return true;
    });
  });

  await t.test("the method is told who calls", async () => {
    seen.length = 0;
    await ada.getExperiment({ name: "experiments/ada-1" });
    const { cert, key } = certificates.ofProcess["trainer-worker"] ?? {};
    const material = { authority: certificates.authority, certificate: String(cert), key: String(key) };
    using worker = connectClient(DataShardService, server.address, { tls: { material } });
    await worker.getDataset({ name: "datasets/a" });
    for await (const _ of bob.watchExperiment({ name: "experiments/bob-1" }));
    const callers = seen.map((caller) => `${caller?.kind} ${caller?.name}`);
    assert.deepEqual(callers, ["person ada", "process trainer-worker", "person bob"]);
  });

  await t.test(
    "each call that could change something is one line: who, what, on which resource, the outcome, and never the key",
    async () => {
      lines.length = 0;
      const name = "experiments/ada-1";
      await ada.getExperiment({ name }); // changes nothing
      await ada.pauseExperiment({ name });
      await outcome(bob.pauseExperiment({ name }));
      await outcome(anyone.pauseExperiment({ name }));
      await outcome(ada.startExperiment({ experimentId: "ada-1", recipe: { training: { learningRate: -1 } } }));
      using viewer = connectClient(TrainerService, server.address, { tls, authorization: keyOf("viewer") });
      await outcome(viewer.cancelExperiment({ name }));
      await until(() => lines.filter(({ audit }) => audit === true).length >= 5, { timeoutMs: 30_000 });
      const told = lines.filter(({ audit }) => audit === true);
      const of = (method: string) => `pretrain.train.v1.TrainerService/${method}`;
      assert.deepEqual(
        told.map(({ caller, kind, method, resources, code }) => ({ caller, kind, method, resources, code })),
        [
          { caller: "ada", kind: "person", method: of("PauseExperiment"), resources: [name], code: "OK" },
          {
            caller: "bob",
            kind: "person",
            method: of("PauseExperiment"),
            resources: [name],
            code: "PERMISSION_DENIED",
          },
          {
            caller: undefined,
            kind: undefined,
            method: of("PauseExperiment"),
            resources: undefined,
            code: "UNAUTHENTICATED",
          },
          { caller: "ada", kind: "person", method: of("StartExperiment"), resources: [name], code: "INVALID_ARGUMENT" },
          {
            caller: "viewer",
            kind: "person",
            method: of("CancelExperiment"),
            resources: undefined,
            code: "PERMISSION_DENIED",
          },
        ],
      );
      assert.doesNotMatch(JSON.stringify(lines), /pretrain_[A-Za-z0-9_-]{43}/);
    },
  );

  await t.test("probes are answered without TLS, of health alone", async () => {
    assert.ok(server.healthAddress);
    using probe = connectClient(health.Health, server.healthAddress);
    assert.equal((await probe.check({})).status, health.HealthCheckResponse_ServingStatus.SERVING);
    using curious = connectClient(TrainerService, server.healthAddress);
    await assert.rejects(curious.listExperiments({}), /there is no method .*ListExperiments here/);
  });

  await t.test("only TLS 1.3 is spoken", async () => {
    const [host, port] = server.address.split(":") as [string, string];
    const old = connectTls({
      host,
      port: Number(port),
      ca: certificates.authority,
      maxVersion: "TLSv1.2",
      ALPNProtocols: ["h2"],
    });
    const refused = await new Promise<Error>((resolve, reject) =>
      old.once("error", resolve).once("secureConnect", reject),
    );
    assert.match(refused.message, /protocol version/);
  });

  await t.test("a client that does not know the authority says nothing to the server", async () => {
    const foreign = { authority: String(certificates.foreign.cert) };
    using trusting = connectClient(TrainerService, server.address, {
      tls: { material: foreign },
      authorization: keyOf("ada"),
    });
    await assert.rejects(
      trusting.listExperiments({}),
      /cannot be reached: .*(unable to verify|self-signed|certificate)/i,
    );
  });

  await t.test("certificates that are replaced are used for what begins from then on, on both sides", async () => {
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const [host, port] = server.address.split(":") as [string, string];
        const socket = connectTls({ host, port: Number(port), ca: certificates.authority, ALPNProtocols: ["h2"] });
        socket.once("error", reject).once("secureConnect", () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
      });
    const before = await serial();
    await certificates.issue(join(folder, "tls", "trainer"), { name: "trainer" });
    await until(async () => (await serial()) !== before, { timeoutMs: 30_000 });
    assert.equal(await outcome(ada.getExperiment({ name: "experiments/ada-1" })), "OK"); // by the connection from before

    const own = join(folder, "tls", "own");
    await certificates.issue(own, { name: "trainer-worker" });
    using ownTls = openTls(own, { log: silent, lookEveryMs: 10 });
    using client = connectClient(DataShardService, server.address, { tls: ownTls });
    const analyze = () => outcome(client.analyzeDataset({ name: "datasets/a" })); // not for the worker of a trainer
    assert.equal(await analyze(), "PERMISSION_DENIED");
    await certificates.issue(own, { name: "evaluator-worker" });
    await until(async () => (await analyze()) === "OK", { timeoutMs: 30_000 });
  });
});

test("given a caller beyond its limits, it is refused and another is not; wrong keys by the hundred are no line each", async (t) => {
  const lines: Record<string, unknown>[] = [];
  t.mock.method(silent, "info", (fields: Record<string, unknown>) => void lines.push(fields));
  const limits = {
    ...defaultLimits,
    person: { perSecond: 0, burst: 3, atOnce: 1 },
    refused: { perSecond: 0, burst: 2 },
    holdMs: 1,
  };
  const { server, certificates, keyOf } = await startGuardedServer(t, silent, limits);
  const tls = { material: { authority: certificates.authority } };
  const open = (authorization: string) => connectClient(TrainerService, server.address, { tls, authorization });
  using ada = open(keyOf("ada"));
  using bob = open(keyOf("bob"));
  using wrong = open(`${keyOf("ada").slice(0, -4)}AAAA`);
  const pause = (client: typeof ada, id: string) => outcome(client.pauseExperiment({ name: `experiments/${id}-1` }));
  const found: string[] = [];
  for (let count = 0; count < 4; count += 1) found.push(await pause(ada, "ada"));
  assert.deepEqual(found, ["OK", "OK", "OK", "RESOURCE_EXHAUSTED"]);
  assert.equal(await pause(bob, "bob"), "OK");
  await assert.rejects(ada.getExperiment({ name: "experiments/ada-1" }), (error) => {
    assert.ok(error instanceof ResourceExhausted && error.reason === "CALLER_LIMIT");
    return true;
  });
  lines.length = 0;
  const guesses: string[] = [];
  for (let count = 0; count < 4; count += 1) guesses.push(await pause(wrong, "ada"));
  assert.deepEqual(guesses, ["UNAUTHENTICATED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"]);
  assert.equal(lines.filter(({ audit }) => audit === true).length, 2);
  assert.equal(await pause(bob, "bob"), "OK"); // by the same address
});

test("given calls beyond a limit, their answers are held back: who waits for them does not ask again at once", async (t) => {
  const limits = { ...defaultLimits, refused: { perSecond: 0, burst: 0 }, holdMs: 3_600_000 };
  const { server, certificates, keyOf } = await startGuardedServer(t, silent, limits);
  const tls = { material: { authority: certificates.authority } };
  using nobody = connectClient(TrainerService, server.address, { tls });
  using ada = connectClient(TrainerService, server.address, { tls, authorization: keyOf("ada") });
  let isAnswered = false;
  const held = outcome(nobody.listExperiments({})).finally(() => (isAnswered = true));
  const name = "experiments/ada-1";
  for (let count = 0; count < 20; count += 1) assert.equal(await outcome(ada.getExperiment({ name })), "OK");
  assert.equal(isAnswered, false);
  nobody[Symbol.dispose]();
  await held;
});

test("given 64 connections of one address, it gets no other before one of them has ended", async (t) => {
  const { server, certificates } = await startGuardedServer(t, silent);
  const [host, port] = server.address.split(":") as [string, string];
  const isServed = () =>
    new Promise<boolean>((resolve) => {
      const socket = connectTls({ host, port: Number(port), ca: certificates.authority, ALPNProtocols: ["h2"] });
      socket.once("secureConnect", () => resolve(true)).once("error", () => resolve(false));
      t.after(() => socket.destroy());
    });
  const held = Array.from({ length: 64 }, () =>
    connectSocket({ host, port: Number(port) }).on("error", () => undefined),
  );
  t.after(() => held.forEach((socket) => void socket.destroy()));
  await Promise.all(held.map((socket) => once(socket, "connect")));
  assert.equal(await isServed(), false);
  held[0]?.destroy();
  await until(isServed, { timeoutMs: 30_000 });
});

test("given a unary call that never ends, the server ends it", async (t) => {
  const never = () => new Promise<never>(() => undefined);
  async function* nothing() {}
  const methods = ReportService.methods.map(({ localName, methodKind }) => [
    localName,
    methodKind === "unary" ? never : nothing,
  ]);
  const unending = service(ReportService, Object.fromEntries(methods) as Methods<typeof ReportService>);
  const limits = { ...defaultLimits, unaryMs: 10 };
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [unending], limits, log: silent });
  t.after(() => server[Symbol.asyncDispose]());
  using client = connectClient(ReportService, server.address);
  await assert.rejects(client.getReport({ name: "experiments/a/report" }, { timeoutMs: 3_600_000 }), (error) => {
    assert.ok(error instanceof PretrainError && error.reason === "DEADLINE_EXCEEDED");
    return true;
  });
});

test("given no certificate or nobody's rights, no address beyond this machine is served; probes are", async (t) => {
  const { server: _, folder } = await startGuardedServer(t, silent);
  using tls = openTls(join(folder, "tls", "trainer"), { log: silent });
  for (const [options, missing] of [
    [{}, "PRETRAIN_TLS and PRETRAIN_ACCESS"],
    [{ tls }, "PRETRAIN_ACCESS"],
  ] as const) {
    await assert.rejects(serveGrpc({ address: "0.0.0.0:0", services: [], log: silent, ...options }), (error) => {
      assert.ok(error instanceof FailedPrecondition && error.reason === "ADDRESS_EXPOSED");
      assert.equal(error.message.includes(`${missing} `), true, error.message);
      return true;
    });
  }
  const open = await serveGrpc({ address: "127.0.0.1:0", healthAddress: "0.0.0.0:0", services: [], log: silent });
  await open[Symbol.asyncDispose]();
});
