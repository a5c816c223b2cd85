import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { temporaryDirectory } from "@pretrain/testing";
import { createLog, createMetrics, type Route, serveHttp, tellDisks } from "./index.ts";

const log = createLog("test", "fatal");
const indexUrl = new URL("./index.ts", import.meta.url).href;
const errorsUrl = import.meta.resolve("@pretrain/errors");

async function serve(t: TestContext, options: Partial<Parameters<typeof serveHttp>[0]> = {}) {
  const server = await serveHttp({
    address: "127.0.0.1:0",
    metrics: createMetrics("test"),
    ready: () => true,
    log,
    ...options,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

/** node:http and not fetch, which forbids to choose the Host. */
function get(address: string, path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const [host, port] = address.split(":");
    const call = request({ host, port, path, headers, method }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.on("error", reject).on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on("error", reject).end();
  });
}

function runModule(source: string) {
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", source], {
    encoding: "utf8",
  });
  return {
    status,
    lines: stdout
      .trim()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line)),
  };
}

test("/healthz is 200 while the service is ready and 503 while it is not", async (t) => {
  let isReady = true;
  const { address } = await serve(t, { ready: () => isReady });
  assert.equal((await get(address, "/healthz")).status, 200);
  isReady = false;
  assert.equal((await get(address, "/healthz")).status, 503);
});

test("/metrics shows the process's own metrics and a counter, with the service's name", async (t) => {
  const metrics = createMetrics("trainer");
  metrics.counter("pretrain_steps_total", "Steps.", ["kind"])({ kind: "micro" }, 3);
  metrics.gauge("pretrain_loss", "Loss.")(2.5);
  metrics.histogram("pretrain_step_seconds", "Time.", [1, 2])(1.5);
  const server = await serveHttp({ address: "127.0.0.1:0", metrics, ready: () => true, log });
  t.after(() => server[Symbol.asyncDispose]());
  const { body } = await get(server.address, "/metrics");
  assert.match(body, /^pretrain_steps_total\{kind="micro",service="trainer"\} 3$/m);
  assert.match(body, /^pretrain_loss\{service="trainer"\} 2.5$/m);
  assert.match(body, /^pretrain_step_seconds_bucket\{le="2",service="trainer"\} 1$/m);
  assert.match(body, /^process_resident_memory_bytes\{service="trainer"\} \d+/m);
});

test("what is looked up for an answer is in it; a lookup that fails is counted, and takes nothing else with it", async () => {
  const metrics = createMetrics("trainer");
  const depth = metrics.gauge("pretrain_queue_depth", "Work.", ["queue"]);
  let asked = 0;
  metrics.beforeScrape(async () => depth(++asked, { queue: "train" }));
  metrics.beforeScrape(() => Promise.reject(new Error("the broker is away")));
  metrics.beforeScrape(() => {
    throw new Error("no such folder");
  });
  await metrics.exposition();
  const { body } = await metrics.exposition();
  assert.match(body, /^pretrain_queue_depth\{queue="train",service="trainer"\} 2$/m);
  assert.match(body, /^pretrain_metrics_lookup_failures_total\{service="trainer"\} 4$/m);
});

test("what is dropped is not shown any more, and its neighbours are; the build is told", async () => {
  const metrics = createMetrics("report");
  const steps = metrics.counter("pretrain_steps_total", "Steps.", ["experiment"]);
  steps({ experiment: "a" }, 5);
  steps({ experiment: "b" }, 7);
  metrics.drop("pretrain_steps_total", { experiment: "a" });
  const { body } = await metrics.exposition();
  assert.deepEqual(body.match(/^pretrain_steps_total.*$/gm), [
    'pretrain_steps_total{experiment="b",service="report"} 7',
  ]);
  assert.match(body, /^pretrain_build_info\{version="[0-9.]+",node="[0-9.]+",service="report"\} 1$/m);
});

for (const [claim, headers, status] of [
  ["localhost may ask", { host: "localhost:7400" }, 200],
  ["an address may ask", { host: "[::1]:7400" }, 200],
  ["our own page may ask", { host: "127.0.0.1:7400", origin: "http://127.0.0.1:7400" }, 200],
  ["a name that somebody may own is refused (DNS rebinding)", { host: "evil.example" }, 403],
  ["a name that ends like an address is refused", { host: "127.0.0.1.evil.example" }, 403],
  ["a foreign page is refused", { host: "127.0.0.1:7400", origin: "https://evil.example" }, 403],
  ["a page without an origin of its own is refused", { host: "127.0.0.1:7400", origin: "null" }, 403],
  ["a name that is ours may ask", { host: "Pretrain.example:7400" }, 200],
  ["a page of our name may ask", { host: "pretrain.example", origin: "https://pretrain.example" }, 200],
  ["our name without TLS is somebody between", { host: "pretrain.example", origin: "http://pretrain.example" }, 403],
  ["a name below ours is another one", { host: "a.pretrain.example" }, 403],
] as const) {
  test(claim, async (t) => {
    const { address } = await serve(t, { publicNames: ["pretrain.example"] });
    assert.equal((await get(address, "/healthz", headers)).status, status);
  });
}

test("the longest matching route answers, others are 404, writing is 405, a failing route is 500 and stays inside", async (t) => {
  const say =
    (word: string): Route["handle"] =>
    (_request, response) =>
      void response.end(word);
  const { address } = await serve(t, {
    routes: [
      { path: "/", handle: say("root") },
      { path: "/files/", handle: say("files") },
      { path: "/fails", handle: () => Promise.reject(new Error("secret")) },
    ],
  });
  assert.equal((await get(address, "/files/a?b=c")).body, "files");
  assert.equal((await get(address, "/elsewhere")).body, "root");
  assert.equal((await get(address, "/healthz", {}, "POST")).status, 405);
  const failed = await get(address, "/fails");
  assert.equal(failed.status, 500);
  assert.doesNotMatch(failed.body, /secret/);
  assert.equal((await get((await serve(t)).address, "/files/")).status, 404);
});

for (const [claim, headers, status] of [
  ["our own page may post", { origin: "http://127.0.0.1:7400", "sec-fetch-site": "same-origin" }, 200],
  ["a page that says where it comes from by its origin alone may post", { origin: "http://127.0.0.1:7400" }, 200],
  ["a post that does not say where it comes from is refused", {}, 403],
  ["a post of a foreign page is refused", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, 403],
  ["a post of a page on another port of this machine is refused", { origin: "http://127.0.0.1:9999" }, 403],
  [
    "a post that the browser calls foreign is refused",
    { origin: "http://127.0.0.1:7400", "sec-fetch-site": "same-site" },
    403,
  ],
] as const) {
  test(claim, async (t) => {
    const asked: string[] = [];
    const route: Route = {
      path: "/act",
      method: "POST",
      handle: (_request, response) => (asked.push("act"), void response.end("done")),
    };
    const { address } = await serve(t, { routes: [route] });
    assert.equal((await get(address, "/act", { host: "127.0.0.1:7400", ...headers }, "POST")).status, status);
    assert.equal(asked.length, status === 200 ? 1 : 0);
    assert.equal((await get(address, "/act")).status, 405);
  });
}

test("a taken port is refused with the address and the variable to change", async (t) => {
  const { address } = await serve(t);
  await assert.rejects(serve(t, { address }), (error) => {
    assert.ok(error instanceof FailedPrecondition);
    assert.equal(
      error.message,
      `${address} is in use by another process; set PRETRAIN_HTTP_ADDRESS to another address, or end what listens there`,
    );
    return true;
  });
});

test("beyond this machine nothing is served without TLS, nor routes without a guard; nothing was bound before", async (t) => {
  const route: Route = { path: "/", handle: (_request, response) => void response.end() };
  for (const [address, options, missing] of [
    ["0.0.0.0:0", {}, "PRETRAIN_TLS"],
    ["[::]:0", {}, "PRETRAIN_TLS"],
    ["127.0.0.1.example:0", {}, "PRETRAIN_TLS"],
    ["0.0.0.0:0", { routes: [route] }, "PRETRAIN_TLS,PRETRAIN_ACCESS"],
    ["0.0.0.0:0", { routes: [route], guard: () => true }, "PRETRAIN_TLS"],
  ] as const)
    await assert.rejects(serve(t, { address, ...options }), (error) => {
      assert.ok(error instanceof FailedPrecondition, String(error));
      assert.deepEqual([error.reason, error.metadata["missing"]], ["ADDRESS_EXPOSED", missing]);
      assert.match(error.message, /PRETRAIN_HTTP_ADDRESS.*listen on 127\.0\.0\.1/);
      return true;
    });
  for (const address of ["127.8.9.10:0", "localhost:0"]) await serve(t, { address, routes: [route] });
});

test("a guard is asked before every route but the open ones, health and metrics", async (t) => {
  const asked: string[] = [];
  const handle: Route["handle"] = (_request, response, { pathname }) => void response.end(asked.push(pathname) && "in");
  const { address } = await serve(t, {
    routes: [
      { path: "/", handle },
      { path: "/act", method: "POST", handle },
      { path: "/login", isOpen: true, handle },
    ],
    guard: (_request, response) => {
      response.writeHead(401).end("who are you?");
      return false;
    },
  });
  const own = { host: "127.0.0.1:7400", origin: "http://127.0.0.1:7400" };
  assert.deepEqual(await get(address, "/secret"), { status: 401, body: "who are you?" });
  assert.equal((await get(address, "/act", own, "POST")).status, 401);
  assert.equal((await get(address, "/login")).body, "in");
  for (const path of ["/healthz", "/metrics"]) assert.equal((await get(address, path)).status, 200);
  assert.deepEqual(asked, ["/login"]);
});

test("given a folder that is not made yet, the room is that of the disk that it will be on; a store elsewhere has none", async (t) => {
  const folder = temporaryDirectory(t);
  const metrics = createMetrics("trainer");
  tellDisks(metrics, { state: join(folder, "not", "yet"), store: "s3://bucket/prefix" });
  const { body } = await metrics.exposition();
  const told = (name: string) => Number(new RegExp(`^${name}{place="state".* (\\S+)$`, "m").exec(body)?.[1]);
  const [free, size] = [told("pretrain_disk_free_bytes"), told("pretrain_disk_size_bytes")];
  assert.ok(free > 0 && free <= size, `${free} of ${size}`);
  assert.ok(!body.includes('place="store"'));
});

test("closing ends a response that would go on for ever", { timeout: 5_000 }, async (t) => {
  const opened = Promise.withResolvers<void>();
  const endless: Route = {
    path: "/endless",
    handle(_request, response) {
      response.write("data\n");
      opened.resolve();
    },
  };
  const server = await serve(t, { routes: [endless] });
  const answer = get(server.address, "/endless");
  await opened.promise;
  await Promise.all([assert.rejects(answer), server[Symbol.asyncDispose]()]);
});

test("lines written just before the process is killed are there, as JSON with service and time", () => {
  const { lines } = runModule(`
    import { createLog } from ${JSON.stringify(indexUrl)};
    const log = createLog("trainer");
    log.debug("not shown");
    for (let i = 0; i < 1000; i += 1) log.info({ step: i }, "step");
    process.kill(process.pid, "SIGKILL");`);
  assert.equal(lines.length, 1000);
  assert.equal(lines[999]?.["step"], 999);
  assert.equal(lines[999]["service"], "trainer");
  assert.match(String(lines[999]["time"]), /^\d{4}-\d\d-\d\dT/);
});

for (const [claim, thrown, message, hasStack] of [
  ["an error raised on purpose", `new Unavailable("NO_BROKER", "no broker", { url: "x" })`, "no broker", false],
  ["a defect", `new TypeError("oops")`, "unexpected error", true],
] as const) {
  test(`${claim} ends the process with code 1 and one line${hasStack ? " with its stack" : ""}`, () => {
    const { status, lines } = runModule(`
      import { createLog, exitOnFatalError } from ${JSON.stringify(indexUrl)};
      import { Unavailable } from ${JSON.stringify(errorsUrl)};
      exitOnFatalError(createLog("trainer"));
      throw await ${thrown};`);
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.["msg"], message);
    assert.equal(JSON.stringify(lines[0]).includes("stack"), hasStack);
  });
}
