/** What a store at `s3://` does when server, network or environment are not as they should be. Behind it a real S3 server. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Aborted, FailedPrecondition, InvalidArgument, Unavailable } from "@pretrain/errors";
import { startS3Server, whyNoS3Server } from "@pretrain/s3-server";
import type { TestScope } from "@pretrain/testing";
import { type BlobStore, blobEnvironment, type OpenOptions, openBlobs, sha256Hex } from "./index.ts";

const abc = new TextEncoder().encode("abc");
const large = Uint8Array.from({ length: 9 * 2 ** 20 }, (_, i) => (i * 41) % 241); // two parts
const skip = whyNoS3Server();
const aws = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "test-key", AWS_SECRET_ACCESS_KEY: "test-secret" };

let server: ReturnType<typeof startS3Server> | undefined;
const folder = mkdtempSync(join(tmpdir(), "pretrain-test-"));
after(async () => {
  await (await server)?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type Handle = (request: IncomingMessage, response: ServerResponse, toServer: () => void) => void;

/** An HTTP server that hands to the real one what `handle` does not answer itself. @returns its address */
async function between(t: TestScope, handle: Handle): Promise<string> {
  const behind = server === undefined ? undefined : new URL((await server).endpoint);
  const proxy = createServer((incoming, response) => {
    const toServer = () => {
      const { method, url, headers } = incoming;
      const { hostname, port } = behind ?? {};
      const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(outgoing);
    };
    handle(incoming, response, toServer);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = proxy.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

async function storeBehind(t: TestScope, handle: Handle, options: OpenOptions = {}): Promise<BlobStore> {
  server ??= startS3Server(folder);
  await server;
  const environment = { ...aws, AWS_ENDPOINT_URL: await between(t, handle) };
  return openBlobs(`s3://pretrain-test/${randomUUID()}`, { ...options, environment });
}

/** Ends the request with a fault of S3's. */
function refuse(incoming: IncomingMessage, response: ServerResponse, status: number, code: string): void {
  incoming.resume();
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>of the test</Message></Error>`);
}

test("what passes is asked again: an overloaded server, a conflict of writes, a connection that breaks", {
  skip,
}, async (t) => {
  const refusals = [
    { status: 503, code: "SlowDown" },
    { status: 409, code: "ConditionalRequestConflict" },
    { status: 500, code: "InternalError" },
  ];
  const seen = new Map<string, number>();
  const store = await storeBehind(t, (incoming, response, toServer) => {
    const name = `${incoming.method} ${incoming.url}`;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    const refusal = refusals[count];
    if (refusal !== undefined) refuse(incoming, response, refusal.status, refusal.code);
    else if (count === refusals.length) incoming.socket.destroy();
    else toServer();
  });
  await store.put("a", abc);
  assert.deepEqual(await store.read("a"), abc);
  assert.equal(await store.create("b", abc), true);
  assert.equal(await store.create("b", abc), false);
});

test("a server that only fails is Unavailable once patience is at its end, with the key", { skip }, async (t) => {
  const always: Handle = (incoming, response) => refuse(incoming, response, 503, "SlowDown");
  const store = await storeBehind(t, always, { patienceMs: 400 });
  await assert.rejects(store.read("a/b"), (error) => error instanceof Unavailable && error.message.startsWith("a/b: "));
});

test("one that accepts connections and says nothing is Unavailable too", { skip }, async (t) => {
  const store = await storeBehind(t, () => {}, { patienceMs: 400 });
  await assert.rejects(store.stat("a"), Unavailable);
});

test("a refusal is no accident: it comes at once, with the server's word for it", { skip }, async (t) => {
  let requests = 0;
  const store = await storeBehind(t, (incoming, response) => {
    requests += 1;
    refuse(incoming, response, 403, "AccessDenied");
  });
  await assert.rejects(store.put("a", abc), (error) => {
    return error instanceof FailedPrecondition && /AccessDenied/.test(error.message);
  });
  assert.equal(requests, 1);
});

test("a create whose answer was lost has its key, and nobody else has", { skip }, async (t) => {
  let lost = 0;
  const store = await storeBehind(t, (incoming, response, toServer) => {
    if (incoming.method === "PUT" && incoming.url?.includes("/claim") === true && lost === 0) {
      lost += 1;
      response.writeHead = () => response; // the server does what it is told, its answer goes nowhere
      response.write = () => true;
      response.end = () => (incoming.socket.destroy(), response);
    }
    toServer();
  });
  assert.equal(await store.create("claim", abc), true);
  assert.equal(lost, 1);
  assert.equal(await store.create("claim", abc), false, "the same bytes by another caller are another claim");
  assert.deepEqual(await store.read("claim"), abc);
});

test("an upload whose end was done and not answered is done", { skip }, async (t) => {
  let lost = 0;
  const store = await storeBehind(t, (incoming, response, toServer) => {
    if (incoming.method === "POST" && incoming.url?.includes("uploadId=") === true && lost === 0) {
      lost += 1;
      response.writeHead = () => response;
      response.write = () => true;
      response.end = () => (incoming.socket.destroy(), response);
    }
    toServer();
  });
  const written = await store.put("large", large);
  assert.equal(lost, 1);
  assert.deepEqual(written, { key: "large", sizeBytes: large.length, sha256: sha256Hex(large) });
  assert.equal(sha256Hex(await store.read("large")), sha256Hex(large));
});

test("bytes that are changed on their way to the server are not stored", { skip }, async (t) => {
  const store = await storeBehind(t, (incoming, _, toServer) => {
    if (incoming.method === "PUT" && incoming.url?.includes("/damaged") === true) {
      const pipe = incoming.pipe.bind(incoming);
      incoming.pipe = (target) => {
        incoming.once("data", (chunk: Buffer) => chunk.writeUInt8(chunk.readUInt8(0) ^ 1, 0)); // before it is piped
        return pipe(target);
      };
    }
    toServer();
  }, { patienceMs: 2_000 }); // biome-ignore format: a block
  await assert.rejects(store.put("damaged", abc));
  assert.equal(await store.stat("damaged"), undefined);
});

test("an answer with another range than was asked for is not taken for it", { skip }, async (t) => {
  let isHonest = false;
  const store = await storeBehind(t, (incoming, response, toServer) => {
    if (incoming.method !== "GET" || isHonest) return toServer();
    incoming.resume();
    isHonest = true;
    response.writeHead(206, { "content-range": "bytes 0-1/3", "content-length": "2" });
    response.end("ab");
  });
  await store.put("k", abc);
  assert.deepEqual(await store.read("k", { offset: 1, length: 2 }), abc.subarray(1));
  assert.ok(isHonest);
});

test("a blob that is replaced while it is streamed is not mixed with its successor", { skip }, async (t) => {
  const store = await storeBehind(t, (_, __, toServer) => toServer());
  await store.put("k", large);
  const pieces = store.stream("k")[Symbol.asyncIterator]();
  await pieces.next();
  await store.put("k", large.toReversed());
  const rest = async () => {
    while (!(await pieces.next()).done) await turn();
  };
  await assert.rejects(rest(), Aborted);
});

test("a store that does not obey If-None-Match is refused before anything is written to it", async (t) => {
  const keys: string[] = [];
  const credulous: Handle = (incoming, response) => {
    incoming.resume();
    if (incoming.method === "PUT") keys.push(incoming.url ?? "");
    response.writeHead(incoming.method === "DELETE" ? 204 : 200, { etag: '"1"' });
    response.end();
  };
  const environment = { ...aws, AWS_ENDPOINT_URL: await between(t, credulous) };
  const store = openBlobs("s3://bucket", { environment });
  for (const write of [() => store.put("k", abc), () => store.create("k", abc)]) {
    await assert.rejects(write(), { reason: "STORE_NOT_EXCLUSIVE" });
  }
  assert.ok(keys.length === 4 && keys.every((key) => key.startsWith("/bucket/.exclusive/")), keys.join());
});

test("a redirect is refused, and where it leads to nobody is asked", async (t) => {
  let asked = 0;
  const elsewhere = await between(t, (_, response) => {
    asked += 1;
    response.end();
  });
  const redirecting = await between(t, (incoming, response) => {
    incoming.resume();
    response.writeHead(307, { location: `${elsewhere}/latest/meta-data`, "x-amz-bucket-region": "eu-west-1" });
    response.end();
  });
  const store = openBlobs("s3://bucket", { environment: { ...aws, AWS_ENDPOINT_URL: redirecting }, patienceMs: 2_000 });
  await assert.rejects(store.read("k"), FailedPrecondition);
  await assert.rejects(store.put("k", abc), FailedPrecondition);
  assert.equal(asked, 0);
});

test("an address or an environment that says too little is refused with every fault named", () => {
  const environment = { ...aws, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
  for (const address of [
    "s3://",
    "s3://B_D/x",
    "s3://bucket/../x",
    "s3://bucket/.x",
    "s3://bucket?x",
    "s3://u@bucket",
    "s3://bucket/a b",
  ]) {
    assert.throws(() => openBlobs(address, { environment }), InvalidArgument, address);
  }
  const nothing = () => openBlobs("s3://bucket/x", { environment: { AWS_ENDPOINT_URL: "ftp://x" } });
  assert.throws(nothing, (error) => {
    assert.ok(error instanceof InvalidArgument);
    for (const name of ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      assert.ok(error.message.includes(name), name);
    }
    return true;
  });
});

test("a child gets what it needs to open the same store, and no other variable", () => {
  const needed = { ...aws, AWS_ENDPOINT_URL: "https://127.0.0.1:1", NODE_EXTRA_CA_CERTS: "/etc/pretrain/tls/ca.crt" };
  assert.deepEqual(blobEnvironment({ ...needed, AWS_PROFILE: "mine", HOME: "/root" }), needed);
});
