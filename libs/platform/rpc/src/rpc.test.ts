import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { FailedPrecondition, InvalidArgument, NotFound, PretrainError, Unavailable } from "@pretrain/errors";
import { freePort } from "@pretrain/free-ports";
import { createLog, createMetrics, type Log } from "@pretrain/observability";
import {
  EvaluatorService,
  ExperimentSchema,
  health,
  ModelSchema,
  RecipeSchema,
  StartExperimentRequestSchema,
  TrainerService,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { connectClient, serveGrpc, service } from "./index.ts";
import type { Methods } from "./served-service.ts";

const silent = createLog("test", "fatal");
const request = { experimentId: "1.4.0", recipe: { data: { path: "a.jsonl" } } };
const never = new Promise<never>(() => undefined);

type TrainerMethods = Methods<typeof TrainerService>;
type EvaluatorMethods = Methods<typeof EvaluatorService>;

const unused = () => Promise.reject(new Error("not part of this test"));
const trainerMethods: TrainerMethods = {
  startExperiment: unused,
  getExperiment: unused,
  listExperiments: unused,
  cancelExperiment: unused,
  pauseExperiment: unused,
  resumeExperiment: unused,
  listCheckpoints: unused,
  explainStep: unused,
  forkExperiment: unused,
  importCheckpoint: unused,
  async *watchExperiment() {},
};
const evaluatorMethods: EvaluatorMethods = {
  evaluateCheckpoint: unused,
  getEvaluation: unused,
  listEvaluations: unused,
  scoreText: unused,
  scoreLogits: unused,
  selfTest: unused,
  compareEvaluations: unused,
  exportCheckpoint: unused,
  async *readExportedFile() {},
  async *generate() {},
};

interface Parts {
  readonly trainer?: Partial<TrainerMethods>;
  readonly evaluator?: Partial<EvaluatorMethods>;
  readonly log?: Log;
  readonly address?: string;
  readonly readPatienceMs?: number;
}

async function serve(
  t: TestContext,
  { trainer, evaluator, log = silent, address = "127.0.0.1:0", ...patience }: Parts,
) {
  const metrics = createMetrics("test");
  const server = await serveGrpc({
    address,
    services: [
      service(TrainerService, { ...trainerMethods, ...trainer }),
      service(EvaluatorService, { ...evaluatorMethods, ...evaluator }),
    ],
    log,
    metrics,
    ...patience,
  });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= Promise.resolve(server[Symbol.asyncDispose]()));
  const client = connectClient(TrainerService, server.address);
  const evaluatorClient = connectClient(EvaluatorService, server.address);
  t.after(() => {
    client[Symbol.dispose]();
    evaluatorClient[Symbol.dispose]();
    return close();
  });
  return { address: server.address, client, evaluatorClient, close, metrics };
}

/** What `promise` rejects with. */
async function failure(promise: Promise<unknown>): Promise<PretrainError> {
  const error: unknown = await promise.then(
    () => assert.fail("it should have failed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PretrainError, `no PretrainError: ${String(error)}`);
  return error;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a unary call is answered and counted", async (t) => {
  const { client, metrics } = await serve(t, {
    trainer: { startExperiment: ({ experimentId }) => ({ name: `experiments/${experimentId}` }) },
  });
  assert.equal((await client.startExperiment(request)).name, "experiments/1.4.0");
  const { body } = await metrics.exposition();
  assert.match(
    body,
    /pretrain_rpc_seconds_count\{service="test",method="pretrain.train.v1.TrainerService\/StartExperiment",code="Ok"\} 1/,
  );
});

test("a stream arrives in order, and ends at its server when its reader stops", async (t) => {
  let isEnded = false;
  const { evaluatorClient } = await serve(t, {
    evaluator: {
      async *generate({ maxNewTokens }) {
        try {
          for (let token = 0; token < maxNewTokens; token += 1) yield { token };
        } finally {
          isEnded = true;
        }
      },
    },
  });
  const checkpoint = "experiments/a/checkpoints/1";
  const tokens = (await all(evaluatorClient.generate({ checkpoint, maxNewTokens: 1000 }))).map(({ token }) => token);
  assert.deepEqual(
    tokens,
    Array.from({ length: 1000 }, (_, i) => i),
  );
  isEnded = false;
  for await (const { token } of evaluatorClient.generate({ checkpoint, maxNewTokens: 65_536 })) if (token === 3) break;
  await until(() => isEnded);
});

test("the service's own error comes back as the same error, with reason, metadata and message", async (t) => {
  const thrown = new NotFound("EXPERIMENT_NOT_FOUND", "no experiment is called a", { experiment: "a" });
  const { client } = await serve(t, { trainer: { getExperiment: () => Promise.reject(thrown) } });
  const error = await failure(client.getExperiment({ name: "experiments/a" }));
  const { status, reason, message, metadata } = error;
  assert.deepEqual(
    { status, reason, message, metadata: { ...metadata } },
    {
      status: "NOT_FOUND",
      reason: "EXPERIMENT_NOT_FOUND",
      message: "no experiment is called a",
      metadata: { experiment: "a" },
    },
  );
});

test("an error in the middle of a stream comes after the messages before it", async (t) => {
  const { evaluatorClient } = await serve(t, {
    evaluator: {
      async *generate() {
        yield { token: 1 };
        throw new InvalidArgument([{ field: "prompt", description: "is too long" }]);
      },
    },
  });
  const seen: number[] = [];
  const error = await failure(
    (async () => {
      for await (const { token } of evaluatorClient.generate({ checkpoint: "experiments/a/checkpoints/1" }))
        seen.push(token);
    })(),
  );
  assert.deepEqual(seen, [1]);
  assert.deepEqual(error.violations, [{ field: "prompt", description: "is too long" }]);
});

test("rules of the .proto are checked before the method, and faults are named by the .proto's field names", async (t) => {
  const { client, evaluatorClient } = await serve(t, {});
  const error = await failure(
    client.startExperiment({
      experimentId: "",
      recipe: {
        data: { path: "" },
        training: { learningRate: Number.NaN },
        targets: [{ metric: "train/loss", comparison: "=", value: 1 }],
      },
    }),
  );
  assert.equal(error.status, "INVALID_ARGUMENT");
  assert.deepEqual([...new Set(error.violations.map(({ field }) => field))].sort(), [
    "experiment_id",
    "recipe.data.path",
    "recipe.targets[0].comparison",
    "recipe.training.learning_rate",
  ]);
  const streamed = await failure(all(evaluatorClient.generate({ checkpoint: "experiments/a", maxNewTokens: -1 })));
  assert.deepEqual(streamed.violations.map(({ field }) => field).sort(), ["checkpoint", "max_new_tokens"]);
});

/** A call with bytes of our own, as a caller of another version or a hostile one would send it. */
async function rawCall(t: TestContext, address: string, path: string, message: Uint8Array, headers = {}) {
  const session = connectHttp2(`http://${address}`);
  t.after(() => session.destroy());
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const seen: Record<string, unknown> = {};
  stream.on("response", (fields) => Object.assign(seen, fields));
  stream.on("trailers", (fields) => Object.assign(seen, fields));
  stream.on("error", (error) => Object.assign(seen, { error }));
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([frame, message]));
  stream.resume();
  await new Promise((resolve) => stream.on("close", resolve));
  return { status: seen["grpc-status"] ?? seen[":status"], message: decodeURIComponent(String(seen["grpc-message"])) };
}

const startPath = "/pretrain.train.v1.TrainerService/StartExperiment";

test("an unknown field is refused wherever it is, by message and number", async (t) => {
  const { address } = await serve(t, { trainer: { startExperiment: () => create(ExperimentSchema) } });
  const model = create(ModelSchema, { dim: 64 });
  model.$unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(1) }];
  const recipe = create(RecipeSchema, { data: { path: "a" }, model });
  const message = toBinary(
    StartExperimentRequestSchema,
    create(StartExperimentRequestSchema, { experimentId: "a", recipe }),
  );
  const refused = await rawCall(t, address, startPath, message);
  assert.equal(refused.status, "3");
  assert.match(refused.message, /^recipe.model: pretrain.train.v1.Model has no field number 999/);
});

test("a request larger than 4 MiB is refused, and bytes that are no message are the caller's fault", async (t) => {
  const { address } = await serve(t, {});
  assert.equal((await rawCall(t, address, startPath, new Uint8Array(4 * 2 ** 20 + 1))).status, "8");
  assert.equal((await rawCall(t, address, startPath, Uint8Array.of(0xff, 0xff, 0xff))).status, "3");
});

test("headers of more than 16 KiB are refused, and the server goes on", async (t) => {
  const { address, client } = await serve(t, { trainer: { getExperiment: () => create(ExperimentSchema) } });
  const { status } = await rawCall(t, address, startPath, new Uint8Array(), { filler: "x".repeat(17_000) });
  assert.equal(status, 431);
  await client.getExperiment({ name: "experiments/a" });
});

test("garbage, a connection cut in the middle of a call, and streams that are reset at once harm nobody else", async (t) => {
  const { address, client } = await serve(t, {
    trainer: { getExperiment: () => create(ExperimentSchema), startExperiment: () => never },
  });
  const port = Number(address.split(":")[1]);
  for (let seed = 0; seed < 20; seed += 1) {
    const socket = connectSocket(port, "127.0.0.1").on("error", () => undefined);
    if (seed % 2 === 1) socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.end(Uint8Array.from({ length: 400 }, (_, i) => (i * i * (seed + 3) + 7 * seed) % 256));
  }
  const session = connectHttp2(`http://${address}`).on("error", () => undefined);
  for (let i = 0; i < 100; i += 1) {
    const headers = { ":method": "POST", ":path": startPath, "content-type": "application/grpc" };
    const stream = session.request(headers).on("error", () => undefined);
    if (i < 50) stream.close(2);
    else stream.write(Buffer.of(0, 0, 0, 9, 0, 1));
  }
  await pause(100);
  session.destroy();
  await client.getExperiment({ name: "experiments/a" });
});

test("an unknown method is UNIMPLEMENTED, and a request of another protocol is not served", async (t) => {
  const { address } = await serve(t, {});
  assert.equal((await rawCall(t, address, "/pretrain.train.v1.TrainerService/Nothing", new Uint8Array())).status, "12");
  const json = { "content-type": "application/json" };
  assert.equal((await rawCall(t, address, startPath, new Uint8Array(), json)).status, 415);
});

test("a defect is INTERNAL with a reference; its text is in the log and not in the answer", async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog("test", "error");
  t.mock.method(log, "error", (fields: Record<string, unknown>) => void lines.push(fields));
  const { client } = await serve(t, {
    log,
    trainer: { getExperiment: () => Promise.reject(new TypeError("password is hunter2")) },
  });
  await assert.rejects(client.getExperiment({ name: "experiments/a" }), (error) => {
    assert.ok(error instanceof ConnectError && error.code === Code.Internal);
    assert.doesNotMatch(error.message, /hunter2/);
    const [line] = lines;
    assert.ok(line !== undefined && line["err"] instanceof TypeError);
    assert.match(error.message, new RegExp(String(line["reference"])));
    return true;
  });
});

test("a deadline ends the call at both ends, even when the method does not look at its signal", async (t) => {
  let signal: AbortSignal | undefined;
  const { client, metrics } = await serve(t, {
    trainer: {
      getExperiment(_request, context) {
        signal = context.signal;
        return never;
      },
    },
  });
  const error = await failure(client.getExperiment({ name: "experiments/a" }, { timeoutMs: 1000 }));
  assert.deepEqual([error.status, error.reason], ["UNAVAILABLE", "DEADLINE_EXCEEDED"]);
  await until(() => signal?.aborted);
  await until(async () =>
    /method="[^"]+GetExperiment",code="(Canceled|DeadlineExceeded)"\} 1/.test((await metrics.exposition()).body),
  );
});

test("health is SERVING for the server and each service, NOT_FOUND for others, and watchers hear of the drain", async (t) => {
  const { address, close } = await serve(t, {});
  const client = connectClient(health.Health, address);
  t.after(() => client[Symbol.dispose]());
  const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;
  for (const name of ["", "pretrain.train.v1.TrainerService", "pretrain.eval.v1.EvaluatorService"]) {
    assert.equal((await client.check({ service: name })).status, SERVING);
  }
  assert.equal((await failure(client.check({ service: "absent" }))).status, "NOT_FOUND");
  for await (const { status } of client.watch({ service: "absent" })) {
    assert.equal(status, SERVICE_UNKNOWN);
    break;
  }
  const seen: number[] = [];
  const watching = failure(
    (async () => {
      for await (const { status } of client.watch({ service: "" })) seen.push(status);
    })(),
  );
  await until(() => seen.length === 1);
  await close();
  assert.equal((await watching).reason, "DRAINING");
  assert.deepEqual(seen, [SERVING, NOT_SERVING]);
});

test("draining lets a unary call finish, ends streams as UNAVAILABLE, and refuses new calls", async (t) => {
  const finish = Promise.withResolvers<void>();
  let started = 0;
  let streamSignal: AbortSignal | undefined;
  const { client, evaluatorClient, close } = await serve(t, {
    trainer: {
      async getExperiment() {
        started += 1;
        await finish.promise;
        return { title: "finished" };
      },
    },
    evaluator: {
      async *generate(_request, { signal }) {
        streamSignal = signal;
        yield { token: 1 };
        await never;
      },
    },
  });
  const unary = client.getExperiment({ name: "experiments/a" });
  const stream = evaluatorClient.generate({ checkpoint: "experiments/a/checkpoints/1" })[Symbol.asyncIterator]();
  await stream.next();
  await until(() => started === 1);
  const closed = close();
  const ended = await failure(stream.next());
  assert.deepEqual([ended.status, ended.reason], ["UNAVAILABLE", "DRAINING"]);
  assert.equal(streamSignal?.aborted, true);
  assert.equal((await failure(client.getExperiment({ name: "experiments/b" }))).status, "UNAVAILABLE");
  finish.resolve();
  assert.equal((await unary).title, "finished");
  const begun = performance.now();
  await closed;
  assert.ok(performance.now() - begun < 5_000, "an idle server closes at once, not after its patience");
  assert.equal(started, 1);
});

test("an idle server closes at once", async (t) => {
  const { client, close } = await serve(t, { trainer: { getExperiment: () => create(ExperimentSchema) } });
  await client.getExperiment({ name: "experiments/a" });
  const begun = performance.now();
  await close();
  assert.ok(performance.now() - begun < 5_000, "not after its patience");
});

test("a taken port names the address and the variable", async (t) => {
  const { address } = await serve(t, {});
  await assert.rejects(serve(t, { address }), (error) => {
    assert.ok(error instanceof FailedPrecondition);
    assert.match(error.message, new RegExp(`^${address} is in use by another process; set PRETRAIN_GRPC_ADDRESS`));
    return true;
  });
});

test("a service that is not there is Unavailable with its address, and is found once it is there", async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  const client = connectClient(TrainerService, address);
  t.after(() => client[Symbol.dispose]());
  const error = await failure(client.getExperiment({ name: "experiments/a" }));
  assert.ok(error.status === "UNAVAILABLE" && error.reason === "SERVICE_UNREACHABLE");
  assert.match(error.message, new RegExp(`the service at ${address} cannot be reached`));
  await serve(t, { address, trainer: { getExperiment: () => create(ExperimentSchema, { title: "there" }) } });
  assert.equal((await client.getExperiment({ name: "experiments/a" })).title, "there");
});

test("a server that accepts and never answers is Unavailable at the deadline", async (t) => {
  const server = createServer((socket) => socket.on("error", () => undefined));
  const address = `127.0.0.1:${await freePort()}`;
  await new Promise<void>((resolve) => server.listen(Number(address.split(":")[1]), "127.0.0.1", resolve));
  t.after(() => void server.close());
  const client = connectClient(TrainerService, address);
  t.after(() => client[Symbol.dispose]());
  const error = await failure(client.getExperiment({ name: "experiments/a" }, { timeoutMs: 200 }));
  assert.equal(error.status, "UNAVAILABLE");
});

test("a slow reader slows its stream down instead of filling memory", async (t) => {
  let made = 0;
  const { evaluatorClient } = await serve(t, {
    evaluator: {
      async *generate() {
        for (;;) {
          made += 1;
          yield { text: "x".repeat(100_000) };
        }
      },
    },
  });
  const stream = evaluatorClient.generate({ checkpoint: "experiments/a/checkpoints/1" })[Symbol.asyncIterator]();
  await stream.next();
  await pause(500);
  assert.ok(made < 60, `${made} messages of 100 kB were made for one that was read`);
  await stream.return?.();
});

test("a caller that takes nothing is cut off as RESOURCE_EXHAUSTED; one that only has nothing to take is not", async (t) => {
  const ended: string[] = [];
  const quiet = Promise.withResolvers<void>();
  const { client, evaluatorClient } = await serve(t, {
    readPatienceMs: 300,
    evaluator: {
      async *generate() {
        try {
          for (;;) yield { text: "x".repeat(100_000) };
        } finally {
          ended.push("generate");
        }
      },
    },
    trainer: {
      async *watchExperiment() {
        yield {};
        await quiet.promise;
        yield {};
      },
    },
  });
  const slow = evaluatorClient.generate({ checkpoint: "experiments/a/checkpoints/1" })[Symbol.asyncIterator]();
  const watching = all(client.watchExperiment({ name: "experiments/a" }));
  await slow.next();
  await until(() => ended.length === 1, { timeoutMs: 30_000 });
  const read = (async () => {
    while ((await slow.next()).done !== true);
  })();
  assert.equal((await failure(read)).status, "RESOURCE_EXHAUSTED");
  quiet.resolve(); // for longer than the patience there was nothing for it
  assert.equal((await watching).length, 2);
});

test("an Unavailable that the service throws on purpose keeps its own reason", async (t) => {
  const { client } = await serve(t, {
    trainer: { getExperiment: () => Promise.reject(new Unavailable("PUBLISH_UNKNOWN", "no ack", { id: "x" })) },
  });
  const error = await failure(client.getExperiment({ name: "experiments/a" }));
  assert.deepEqual([error.status, error.reason], ["UNAVAILABLE", "PUBLISH_UNKNOWN"]);
});
