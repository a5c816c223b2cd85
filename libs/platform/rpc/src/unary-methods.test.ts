/**
 * Unary calls answered without Connect are answered as Connect does it. Each call is made twice: as libraries make it, and with a content
 * type in capitals, which is the same to gRPC and is left to Connect.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  EvaluatorService,
  type Experiment,
  ExperimentSchema,
  GetExperimentRequestSchema,
  TrainerService,
} from "@pretrain/proto";
import { connectClient, serveGrpc, service } from "./index.ts";
import type { Methods } from "./served-service.ts";

const never = new Promise<never>(() => undefined);

const counted = create(ExperimentSchema, { name: "experiments/counted" });
const frozenAnswer = Object.freeze(create(ExperimentSchema, { name: "experiments/frozen" }));

/** By the experiment that is asked for. */
const answers: Readonly<Record<string, () => Partial<Experiment> | Promise<never>>> = {
  there: () => ({ name: "experiments/there", message: "ä".repeat(100_000) }),
  nothing: () => ({}),
  refused: () => {
    throw new FailedPrecondition("NOT_NOW", "not now, später", { until: "later" });
  },
  late: () => never,
  counted: () => Object.assign(counted, { message: `${counted.message}again ` }),
  frozen: () => frozenAnswer,
  unencodable: () => ({ state: 1.5 as never }),
};

async function serve(t: TestContext): Promise<ClientHttp2Session> {
  const methods = { getExperiment: ({ name }: { name: string }) => answers[name.slice("experiments/".length)]?.() };
  const trainer = service(TrainerService, methods as unknown as Methods<typeof TrainerService>);
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [trainer], log: createLog("test", "fatal") });
  const session = connect(`http://${server.address}`);
  t.after(async () => {
    session.destroy();
    await server[Symbol.asyncDispose]();
  });
  return session;
}

interface Asked {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The next of these bytes comes when the one before it has been sent. */
  readonly isInPieces?: boolean;
}

async function call(session: ClientHttp2Session, type: string, { body, headers, isInPieces = false }: Asked) {
  const path = "/pretrain.train.v1.TrainerService/GetExperiment";
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": type,
    te: "trailers",
    ...headers,
  });
  const said: Record<string, string | number | string[] | undefined> = {};
  stream.on("response", (fields) => Object.assign(said, fields));
  stream.on("trailers", (fields) => Object.assign(said, fields));
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const pieces = isInPieces ? Array.from(body, (_, at) => body.subarray(at, at + 1)) : [body];
  for (const piece of pieces) await new Promise((resolve) => stream.write(piece, resolve));
  stream.end();
  await once(stream, "close");
  const { date: _, ":status": status, ...fields } = said;
  return {
    status,
    type: fields["content-type"],
    code: fields["grpc-status"],
    message: decodeURIComponent(fields["grpc-message"]?.toString() ?? ""),
    details: fields["grpc-status-details-bin"],
    answer: Buffer.concat(chunks).toString("base64"),
  };
}

const frame = (message: Uint8Array, flags = 0, length = message.length) => {
  const head = Buffer.of(flags, 0, 0, 0, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
};
const named = (id: string) =>
  toBinary(GetExperimentRequestSchema, create(GetExperimentRequestSchema, { name: `experiments/${id}` }));
const asking = (id: string, headers: Asked["headers"] = {}): Asked => ({ body: frame(named(id)), headers });

const calls: readonly (readonly [what: string, asked: Asked, code: string])[] = [
  ["one that is answered", asking("there"), "0"],
  ["one whose message comes byte by byte", { ...asking("there"), isInPieces: true }, "0"],
  ["one whose answer is empty", asking("nothing"), "0"],
  ["one with time enough", asking("there", { "grpc-timeout": "5S" }), "0"],
  ["one whose deadline is beyond what timers can keep", asking("there", { "grpc-timeout": "4800H" }), "3"],
  ["one that says that nothing is compressed", asking("there", { "grpc-encoding": "identity" }), "0"],
  ["one that the method refuses", asking("refused"), "9"],
  ["one that breaks a rule of the contract", { body: frame(named("")) }, "3"],
  ["one that the method does not answer in time", asking("late", { "grpc-timeout": "50m" }), "4"],
  ["one whose time was over before it began", asking("late", { "grpc-timeout": "0m" }), "4"],
  ["one whose deadline is none", asking("there", { "grpc-timeout": "soon" }), "3"],
  ["one of no method that is there", asking("nobody"), "0"],
  ["one without a message", { body: new Uint8Array() }, "12"],
  ["one with two messages", { body: Buffer.concat([frame(named("there")), frame(named("there"))]) }, "12"],
  ["one whose message ends too early", { body: frame(named("there"), 0, 100) }, "3"],
  ["one whose frame ends too early", { body: Buffer.of(0, 0, 0) }, "3"],
  ["one whose message is longer than it says", { body: frame(named("there"), 0, named("there").length - 1) }, "3"],
  ["one whose bytes are no message", { body: frame(Buffer.of(0xff, 0xff, 0xff)) }, "3"],
  ["one that is compressed, and does not say how", { body: frame(named("there"), 1) }, "13"],
  ["one that is compressed in a way that is not spoken", asking("there", { "grpc-encoding": "gzip" }), "12"],
  ["one of more bytes than are read", asking("a".repeat(4 * 2 ** 20)), "8"],
];

for (const [what, asked, code] of calls) {
  test(`${what}: the same, code ${code}`, async (t) => {
    const session = await serve(t);
    const here = await call(session, "application/grpc", asked);
    assert.equal(here.code, code, here.message);
    assert.deepEqual(here, await call(session, "APPLICATION/GRPC", asked));
  });
}

test("an answer that its method changes and gives again is sent as it is by then; one that is frozen, every time", async (t) => {
  const session = await serve(t);
  const first = await call(session, "application/grpc", asking("counted"));
  assert.notEqual(first.answer, (await call(session, "application/grpc", asking("counted"))).answer);
  const frozen = await call(session, "application/grpc", asking("frozen"));
  assert.deepEqual(frozen, await call(session, "application/grpc", asking("frozen")));
  assert.notEqual(frozen.answer, "");
});

test("an answer that is no message is a defect: its number for the caller, the rest in the log", async (t) => {
  const { code, message } = await call(await serve(t), "application/grpc", asking("unencodable"));
  assert.equal(code, "13");
  assert.match(message, /^internal error; the service's log explains it under reference [0-9a-f-]{36}$/);
});

test("a message of thousands of single bytes is cut off with ENHANCE_YOUR_CALM, and the next call is answered", async (t) => {
  const session = await serve(t);
  const path = "/pretrain.train.v1.TrainerService/GetExperiment";
  for (const type of ["application/grpc", "APPLICATION/GRPC"]) {
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": type, te: "trailers" });
    const cut = once(stream, "error");
    stream.write(frame(new Uint8Array(), 0, 2000));
    for (let sent = 0; sent < 2000 && !stream.closed; sent += 1)
      await new Promise((resolve) => stream.write(Buffer.alloc(1), resolve));
    assert.match(String(await cut), /NGHTTP2_ENHANCE_YOUR_CALM/);
    assert.equal((await call(session, type, asking("there"))).code, "0");
  }
});

test("bytes of a request are of the kind whose slice is a copy", async (t) => {
  const kinds: string[] = [];
  const scoreLogits = ({ rows }: { rows: readonly { logits: Uint8Array }[] }) => {
    kinds.push(...rows.map(({ logits }) => Object.getPrototypeOf(logits).constructor.name));
    return {};
  };
  const evaluator = service(EvaluatorService, { scoreLogits } as unknown as Methods<typeof EvaluatorService>);
  const server = await serveGrpc({ address: "127.0.0.1:0", services: [evaluator], log: createLog("test", "fatal") });
  using client = connectClient(EvaluatorService, server.address);
  t.after(() => server[Symbol.asyncDispose]());
  await client.scoreLogits({ vocabularySize: 1, rows: [{ tokens: [0], logits: new Uint8Array(4) }] });
  assert.deepEqual(kinds, ["Uint8Array"]);
});
