import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { startFaultProxy, until } from "./index.ts";

/** A server that answers each byte with itself, behind a proxy. */
async function echoBehindProxy(t: TestContext) {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startFaultProxy(portOf(server));
  t.after(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return { proxy, accepted };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A client that keeps what it hears, and whether it was reset. */
function clientOf(t: TestContext, port: number) {
  const socket = connect(port, "127.0.0.1");
  const heard = { text: "", isReset: false };
  socket.on("data", (piece: Buffer) => (heard.text += piece.toString()));
  socket.on("error", (error: NodeJS.ErrnoException) => (heard.isReset = error.code === "ECONNRESET"));
  t.after(() => void socket.destroy());
  return { socket, heard };
}

test("a proxy without a fault passes everything, both ways", async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const { socket, heard } = clientOf(t, proxy.port);
  socket.write("four words and more");
  await until(() => heard.text === "four words and more");
});

test("a cut after n bytes lets exactly n through and resets; who comes back is served", async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const first = clientOf(t, proxy.port);
  first.socket.write("1234");
  await until(() => first.heard.text === "1234");
  proxy.cutAfter(6 + 2); // six bytes to the server, two of its answer
  first.socket.write("567890");
  await until(() => first.heard.isReset);
  assert.ok("123456".startsWith(first.heard.text) && first.heard.text.length >= 4, first.heard.text); // a reset may take bytes with it
  const second = clientOf(t, proxy.port);
  second.socket.write("again");
  await until(() => second.heard.text === "again");
});

test("a hole lets nothing through and ends nothing; healing lets through what was held back", async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const { socket, heard } = clientOf(t, proxy.port);
  socket.write("before");
  await until(() => heard.text === "before");
  proxy.hole();
  socket.write(" after");
  await assert.rejects(until(() => heard.text !== "before" || heard.isReset, { timeoutMs: 200 }));
  proxy.heal();
  await until(() => heard.text === "before after");
});

test("an orphaned connection is gone for the client and alive for the server until healing", async (t) => {
  const { proxy, accepted } = await echoBehindProxy(t);
  const first = clientOf(t, proxy.port);
  first.socket.write("x");
  await until(() => first.heard.text === "x");
  proxy.orphan();
  await until(() => first.heard.isReset);
  const second = clientOf(t, proxy.port);
  second.socket.write("y");
  await until(() => second.heard.text === "y");
  assert.deepEqual(
    accepted.map(({ destroyed }) => destroyed),
    [false, false],
  );
  proxy.heal();
  await until(() => accepted[0]?.destroyed);
  assert.equal(accepted[1]?.destroyed, false);
});

test("a delay holds each piece back at least that long", async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const { socket, heard } = clientOf(t, proxy.port);
  proxy.delayMs = 100;
  const startedMs = performance.now();
  socket.write("z");
  await until(() => heard.text === "z");
  assert.ok(performance.now() - startedMs >= 200 - 5, "there and back"); // timers may fire a little early
});

test("new connections lead to a target that moved", async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const greeter = createServer((socket) => void socket.end("hello")).listen(0, "127.0.0.1");
  t.after(() => void greeter.close());
  await once(greeter, "listening");
  proxy.targetPort = portOf(greeter);
  const { heard } = clientOf(t, proxy.port);
  await until(() => heard.text === "hello");
});
