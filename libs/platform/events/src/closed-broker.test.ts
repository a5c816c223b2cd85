/** The broker's client where not everybody may do everything: who makes the streams, what is refused, a certificate that is replaced. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { PermissionDenied, Unavailable } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import {
  AttemptStartedSchema,
  DatasetRecordSchema,
  EvaluationEndedSchema,
  EvaluationRecordSchema,
  ExperimentRecordSchema,
  LeaseSchema,
  MissingEventsRequestSchema,
  MissingEventsResponseSchema,
  StepMetricSchema,
  TrainWorkSchema,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { createAuthority } from "@pretrain/tls/authority";
import { connectBroker, events, questions, trainingWork, work } from "./index.ts";
import { brokerOf, closedPlace, plainClient, quiet, standingBrokerOf } from "./test-support/closed-broker.ts";

const patience = { timeoutMs: 60_000 };
const step = create(StepMetricSchema, { experiment: "experiments/a", attempt: 1, attemptNonce: "a", microStep: 1n });
const evaluation = create(EvaluationEndedSchema, {
  experiment: "experiments/a",
  evaluation: { name: "evaluations/a-1" },
});

function recordingLog() {
  const lines: { readonly message: string; readonly reason?: string; readonly [fact: string]: unknown }[] = [];
  const write = (facts: object | string, message = "") =>
    void lines.push(typeof facts === "string" ? { message: facts } : { ...facts, message });
  return { lines, log: { debug: write, info: write, warn: write, error: write } as unknown as Log };
}

test("given a broker that lets only the trainer make streams, whoever is earlier waits for the trainer, refused once", async (t) => {
  const place = await closedPlace(t);
  const violations: string[] = [];
  const server = await place.serve({ onLogLine: (line) => / Violation /.test(line) && violations.push(line) });
  const { lines, log } = recordingLog();
  const early = standingBrokerOf(place, server.url, "evaluator", { log });
  const waits = () => lines.some(({ reason }) => reason?.includes("only the trainer may make it; start the trainer"));
  await until(waits, patience);
  await standingBrokerOf(place, server.url, "trainer", { replicas: 1 });
  const records = await (await early).records("pretrain_evaluations", EvaluationRecordSchema);
  assert.deepEqual(await records.list(), []);
  assert.equal(violations.length, 1, violations.join("\n"));
  assert.match(
    violations[0] ?? "",
    /"PRETRAIN\/user:CN=evaluator" - Publish Violation - .*STREAM\.CREATE\.PRETRAIN_METRICS/,
  );
});

test("given a closed broker with its streams", async (t) => {
  const place = await closedPlace(t);
  const log: string[] = [];
  const server = await place.serve({ onLogLine: (line) => log.push(line) });
  const trainer = await standingBrokerOf(place, server.url, "trainer", { replicas: 1 });

  await t.test(
    "an event of another identity is refused as such, and the log says whose and where; nothing is stored",
    async () => {
      const { lines, log } = recordingLog();
      const evaluator = await brokerOf(place, server.url, "evaluator", log);
      await assert.rejects(evaluator.publish(events.step, step), (error) => {
        assert.ok(error instanceof PermissionDenied && !(error instanceof Unavailable));
        assert.match(error.message, /does not let this process publish to pretrain\.metrics\.a\.step/);
        return true;
      });
      assert.equal((await trainer.extentOf("PRETRAIN_METRICS")).last, 0);
      const told = await until(() => lines.find(({ subject }) => subject === "pretrain.metrics.a.step"), patience);
      assert.partialDeepStrictEqual(told, { identity: "evaluator", operation: "publish" });
      assert.deepEqual(await evaluator.publish(events.evaluation, evaluation), { duplicate: false });
    },
  );

  await t.test("a record of another identity can be neither written nor read", async () => {
    const worker = await brokerOf(place, server.url, "evaluator-worker");
    const records = await worker.records("pretrain_experiments", ExperimentRecordSchema);
    await assert.rejects(records.create("a", create(ExperimentRecordSchema)), PermissionDenied);
    await assert.rejects(records.get("a"), PermissionDenied);
    const own = await trainer.records("pretrain_experiments", ExperimentRecordSchema);
    assert.ok((await own.create("a", create(ExperimentRecordSchema))) > 0);
  });

  await t.test("the ledger answers whoever asks it, where he listens; another one may not ask", async () => {
    const report = await brokerOf(place, server.url, "report");
    const answer = create(MissingEventsResponseSchema, { ledger: "l", missing: ["step/a"] });
    place.running.use(report.answer(questions.missingEvents, () => answer));
    const question = create(MissingEventsRequestSchema, { messageIds: ["step/a"] });
    const worker = await brokerOf(place, server.url, "trainer-worker");
    const asked = () => worker.ask(questions.missingEvents, question);
    assert.deepEqual(await until(asked, patience), answer);
    await assert.rejects(trainer.ask(questions.missingEvents, question), PermissionDenied);
  });

  await t.test("a certificate that is replaced is shown to the broker without a restart", async () => {
    const { lines, log: recording } = recordingLog();
    const worker = await brokerOf(place, server.url, "trainer-worker", recording);
    const shown = async () => {
      const response = await fetch(`${server.monitoringUrl}/connz?auth=true`);
      const { connections } = (await response.json()) as {
        connections: { tls_peer_certs?: { cert_sha256: string }[] }[];
      };
      return connections.map((each) => each.tls_peer_certs?.[0]?.cert_sha256);
    };
    await place.authority.issue(join(place.folder, "renewed"), { name: "trainer-worker" });
    const renewed = new X509Certificate(await readFile(join(place.folder, "renewed", "tls.crt")));
    const fingerprint = createHash("sha256").update(renewed.raw).digest("hex");
    assert.ok(!(await shown()).includes(fingerprint));
    await cp(join(place.folder, "renewed"), place.certificates("trainer-worker"), { recursive: true });
    await until(async () => (await shown()).includes(fingerprint), patience);
    await until(() => lines.some(({ message }) => message === "the broker is back"), patience);
    assert.deepEqual(await worker.publish(events.step, step), { duplicate: false });
  });

  await t.test(
    "a process that the broker does not know is told so; one of another authority, or without a certificate, is not let in",
    async () => {
      await place.authority.issue(place.certificates("stranger"), {
        name: "stranger",
        hosts: ["trainer", "localhost"],
      });
      await assert.rejects(brokerOf(place, server.url, "stranger"), (error) => {
        assert.ok(error instanceof PermissionDenied);
        assert.match(error.message, /the broker does not know "CN=stranger"/);
        return true;
      });
      const others = await createAuthority();
      await others.issue(place.certificates("forged"), { name: "trainer" });
      await cp(join(place.certificates("nats"), "ca.crt"), join(place.certificates("forged"), "ca.crt"));
      await assert.rejects(plainClient(place, server.url, "forged", { timeout: 500, reconnect: false }));
      await until(() => log.some((line) => /TLS handshake error.*certificate signed by unknown authority/.test(line)));
      await assert.rejects(connectBroker({ url: server.url, name: "trainer", log: quiet }));
    },
  );
});

test("given a closed broker, whatever the client does for a process under its own identity is allowed", async (t) => {
  const place = await closedPlace(t);
  const violations: string[] = [];
  const server = await place.serve({ onLogLine: (line) => / Violation /.test(line) && violations.push(line) });
  const trainer = await standingBrokerOf(place, server.url, "trainer", { replicas: 1, ackWaitMs: { train: 2_000 } });
  const worker = await brokerOf(place, server.url, "trainer-worker");

  const experiments = await trainer.records("pretrain_experiments", ExperimentRecordSchema);
  await using index = trainer.recordIndex("pretrain_experiments", ExperimentRecordSchema, ({ key }) => key);
  await experiments.create("a", create(ExperimentRecordSchema));
  assert.deepEqual([...(await index.current()).keys()], ["a"]);
  assert.equal((await experiments.getMany(["a", "b"])).length, 1);
  const looked = new AbortController();
  const seen = await worker.records("pretrain_experiments", ExperimentRecordSchema);
  for await (const { key } of seen.watch("a", looked.signal)) {
    assert.equal(key, "a");
    looked.abort();
  }
  for (const [identity, bucket, schema] of [
    ["data-shard", "pretrain_datasets", DatasetRecordSchema],
    ["evaluator", "pretrain_evaluations", EvaluationRecordSchema],
    ["evaluator-worker", "pretrain_evaluations", EvaluationRecordSchema],
  ] as const) {
    const records = await (await brokerOf(place, server.url, identity)).records(
      bucket,
      schema as typeof DatasetRecordSchema,
    );
    await records.create(identity, create(schema as typeof DatasetRecordSchema));
    assert.ok((await records.list()).some(({ key }) => key === identity));
  }

  const leases = await worker.expiringRecords("pretrain_leases", LeaseSchema);
  const first = await leases.create("a", create(LeaseSchema), 60_000);
  await leases.remove("a", await leases.renew("a", create(LeaseSchema), first, 60_000));
  assert.equal(await (await trainer.expiringRecords("pretrain_leases", LeaseSchema)).get("a"), undefined);

  await trainer.enqueue(work.train, create(TrainWorkSchema, { experiment: "experiments/a" }), "a");
  for await (const piece of worker.takeWork(trainingWork, { signal: AbortSignal.timeout(60_000), idleMs: 0 })) {
    await piece.done();
  }
  assert.deepEqual(await trainer.workload(work.train), { waiting: 0, inHands: 0 });

  await worker.publish(events.attempt, create(AttemptStartedSchema, { experiment: "experiments/a", attempt: 1 }));
  const watched = new AbortController();
  const options = { experiment: "experiments/a", kinds: ["attempt"], from: "all" } as const;
  for await (const { message } of trainer.follow(options, watched.signal)) {
    assert.equal(message.attempt, 1);
    watched.abort();
  }
  const report = await brokerOf(place, server.url, "report");
  for (const durable of ["report-1", "report-1"]) {
    // the second time it is made anew, behind what the ledger has
    const kinds: string[] = [];
    const from = { durable, batch: 10, heldUpTo: 0 };
    await using consumption = await report.consume("PRETRAIN_EVENTS", from, async (batch) => {
      kinds.push(...batch.map(({ kind }) => kind));
    });
    await until(() => kinds.length > 0, patience);
    await until(async () => (await consumption.settledUpTo()) === 1, patience);
    assert.deepEqual(kinds, ["attempt"]);
  }
  assert.deepEqual(violations, []);
});
