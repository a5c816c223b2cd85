/** The real server: starts, keeps what it acknowledged, refuses a taken port, and never outlives the one who started it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FailedPrecondition, hasErrorCode, InvalidArgument, Unavailable } from "@pretrain/errors";
import { temporaryDirectory, until } from "@pretrain/testing";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { expectSyncAlways } from "./sync-always.ts";

test("a started server answers on loopback and its JetStream syncs before it acknowledges", async (t) => {
  const storeDirectory = join(temporaryDirectory(t), 'a folder with "quotes", $dollars and ünïcode');
  const server = await startForTest(t, storeDirectory);
  assert.match(server.url, /^nats:\/\/127\.0\.0\.1:\d+$/);
  assert.match(await greeting(server.url), /^INFO \{.*"jetstream":true/);
  const varz = await (await fetch(`${server.monitoringUrl}/varz`)).json();
  const config = { sync_always: true, store_dir: join(storeDirectory, "jetstream") };
  assert.partialDeepStrictEqual(varz, { host: "127.0.0.1", jetstream: { config } });
});

test("stopping ends the process, frees the port and can be repeated", async (t) => {
  const server = await startForTest(t);
  const exit = await server.stop();
  assert.equal(exit.signal, null);
  assert.match(exit.lastLines.at(-1) ?? "", /Server Exiting/);
  assert.deepEqual(await server.stop(), exit);
  assert.equal(isAlive(server.pid), false);
  await assert.rejects(greeting(server.url), /ECONNREFUSED/);
});

test("a killed server is reported by `exited`, and the next one on the same store and port starts", async (t) => {
  const storeDirectory = temporaryDirectory(t);
  const first = await startForTest(t, storeDirectory);
  process.kill(first.pid, "SIGKILL");
  assert.equal((await first.exited).signal, "SIGKILL");
  const port = Number(new URL(first.url).port);
  const second = await startForTest(t, storeDirectory, port);
  assert.equal(second.url, first.url);
});

test("a taken port is refused by its address before the streams are touched", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => void other.close());
  const address = other.address();
  assert.ok(address !== null && typeof address === "object");
  const storeDirectory = temporaryDirectory(t);
  await assert.rejects(startForTest(t, storeDirectory, address.port), (error) => {
    assert.ok(error instanceof FailedPrecondition);
    assert.match(error.message, new RegExp(`^127\\.0\\.0\\.1:${address.port} is taken.* PRETRAIN_NATS_URL$`));
    return true;
  });
  await assert.rejects(readFile(join(storeDirectory, "nats-server.conf")), (error) => hasErrorCode(error, "ENOENT"));
});

test("a host that others can reach is refused", async (t) => {
  const storeDirectory = temporaryDirectory(t);
  for (const host of ["0.0.0.0", "::", "192.168.1.1", "example.com"]) {
    await assert.rejects(startNatsServer({ port: 0, storeDirectory, host }), InvalidArgument, host);
  }
});

test("a server that cannot start is quoted with its last words", async (t) => {
  const storeDirectory = temporaryDirectory(t);
  await writeFile(join(storeDirectory, "jetstream"), "a file where the server wants a folder");
  await assert.rejects(startForTest(t, storeDirectory), (error) => {
    assert.ok(error instanceof Unavailable);
    assert.match(error.message, /^nats-server ended while it started; its last words: .*Can't start JetStream/);
    return true;
  });
});

test("a server that does not say that it syncs always is refused", async (t) => {
  const lax = createHttpServer((_, response) => void response.end('{"jetstream":{"config":{"sync_interval":120}}}'));
  lax.listen(0, "127.0.0.1");
  await once(lax, "listening");
  t.after(() => void lax.close());
  const address = lax.address();
  assert.ok(address !== null && typeof address === "object");
  await assert.rejects(expectSyncAlways(`http://127.0.0.1:${address.port}`), /acknowledges before it syncs/);
});

test("a parent that is killed takes its server with it", async (t) => {
  const script = `
    const { startNatsServer } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
    const server = await startNatsServer({ port: 0, storeDirectory: ${JSON.stringify(temporaryDirectory(t))} });
    console.log(server.url);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  const ended = once(parent, "exit").then(() => Promise.reject(new Error("the parent ended before it had a server")));
  const [url] = await Promise.race([once(parent.stdout.setEncoding("utf8"), "data"), ended]);
  assert.match(await greeting(url), /^INFO/);
  parent.kill("SIGKILL");
  await assert.rejects(ended);
  await until(() =>
    greeting(url).then(
      () => false,
      (error) => hasErrorCode(error, "ECONNREFUSED"),
    ),
  );
});

async function startForTest(t: TestContext, storeDirectory = temporaryDirectory(t), port = 0): Promise<NatsServer> {
  const server = await startNatsServer({ port, storeDirectory });
  t.after(async () => void (await server.stop()));
  return server;
}

/** What a NATS server sends first to whoever connects. */
async function greeting(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const [data] = await once(socket.setEncoding("utf8"), "data");
  socket.destroy();
  return String(data);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
