/** Who may look at the page and act on it: what is asked, what is answered, and what a session is. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createLog } from "@pretrain/observability";
import {
  AnnotationSchema,
  EvaluatorService,
  ExperimentSchema,
  GenerateResponseSchema,
  ReportService,
  StepExplanationSchema,
  TrainerService,
} from "@pretrain/proto";
import { callerOf } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { createAuthority } from "@pretrain/tls/authority";
import { peopleOf } from "../../test-support/page-people.ts";
import { type PageServerOptions, servePage } from "../../test-support/page-server.ts";
import { servePeer } from "../../test-support/peers.ts";
import { runEvents } from "../../test-support/run-events.ts";
import { openSessionKey } from "./session-key.ts";

const everyone = {
  vera: [{ role: "viewer" }],
  ada: [{ role: "viewer" }, { role: "researcher", resources: ["experiments/ada-*"] }],
  guest: [{ role: "viewer", resources: ["experiments/guest-*"] }],
} as const;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Asked = Partial<{ headers: Record<string, string>; method: "GET" | "POST"; body: string }>;

/** A page with a finished experiment; asked over node:http and not by fetch, which forbids to choose Host. */
async function pageFor(t: TestContext, options: Partial<PageServerOptions>) {
  const server = await servePage(options);
  t.after(() => server[Symbol.asyncDispose]());
  server.append(runEvents());
  const { hostname, port } = new URL(server.origin);
  return (path: string, { headers = {}, method = "GET", body }: Asked = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const own = method === "POST" ? { Origin: server.origin, "Content-Type": "application/json" } : {};
      const call = request({ hostname, port, path, method, headers: { ...own, ...headers } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        response
          .on("error", reject)
          .on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
        if (response.headers["content-type"] === "text/event-stream") response.destroy();
      });
      call.on("error", reject).end(body);
    });
}

/** A folder with a certificate for each identity, of one authority. */
async function certificates(t: TestContext) {
  const [folder, authority, log] = [temporaryDirectory(t), await createAuthority(), createLog("tls", "fatal")];
  return async (name: string) => {
    await authority.issue(join(folder, name), { name });
    const tls = openTls(join(folder, name), { log });
    t.after(() => tls[Symbol.dispose]());
    return tls;
  };
}

type Ask = Awaited<ReturnType<typeof pageFor>>;

function logIn(ask: Ask, key: string, headers: Record<string, string> = {}) {
  return ask("/api/login", { method: "POST", body: JSON.stringify({ key }), headers });
}

/** What the browser keeps of an answer and sends from then on. */
function cookieOf({ headers }: Answer): { Cookie: string } {
  return { Cookie: headers["set-cookie"]?.[0]?.split(";")[0] ?? "" };
}

const reading = [
  "/api/experiments",
  "/api/experiments/1-4-0",
  "/api/experiments/1-4-0/curves?metric=train/loss",
  "/api/live",
  "/api/comparison?ids=1-4-0,1-4-1",
  "/api/me",
  "/experiments/1-4-0/report.json",
  "/experiments/1-4-0/report.html",
  "/compare/comparison.html?ids=1-4-0,1-4-1",
];

test("given nobody, everything but the login, its files, health and metrics is refused; a browser is led to the login", async (t) => {
  const { pageAccess } = await peopleOf(t, everyone);
  const ask = await pageFor(t, { access: pageAccess });
  for (const path of [...reading, "/", "/start", "/compare", "/experiments/1-4-0"]) {
    const refused = await ask(path);
    assert.deepEqual([refused.status, refused.headers["www-authenticate"]], [401, 'Bearer realm="pretrain"'], path);
    assert.doesNotMatch(refused.body, /1\.4\.0|baseline/, path);
    const led = await ask(path, { headers: { accept: "text/html,*/*" } });
    assert.equal(led.status, 303);
    assert.equal(led.headers.location, `/login?to=${encodeURIComponent(path)}`);
  }
  const acted = await ask("/api/actions/pause", { method: "POST", body: "{}" });
  assert.deepEqual([acted.status, JSON.parse(acted.body).error.reason], [401, "NO_CREDENTIALS"]);
  for (const path of ["/login", "/assets/style.css", "/assets/login/login.js", "/healthz", "/metrics"])
    assert.equal((await ask(path)).status, 200, path);
});

test("given no access file, nobody logs in: everything is answered, and nobody is known", async (t) => {
  const ask = await pageFor(t, {});
  assert.deepEqual([(await ask("/api/experiments")).status, (await ask("/api/me")).body], [200, "{}"]);
  assert.equal((await ask("/login")).status, 404);
});

test("a key opens a session: a cookie that no script reads and no other site sends, and in which there is no key", async (t) => {
  const { pageAccess, keys } = await peopleOf(t, everyone);
  const ask = await pageFor(t, { access: pageAccess, publicNames: ["pretrain.example"] });
  const opened = await logIn(ask, keys.vera);
  assert.equal(opened.status, 204);
  const [cookie = ""] = opened.headers["set-cookie"] ?? [];
  assert.match(cookie, /^pretrain=[A-Za-z0-9_-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  assert.equal(Buffer.from(cookie, "base64url").includes(keys.vera.slice(9)), false);
  const headers = cookieOf(opened);
  for (const path of ["/api/experiments", "/api/experiments/1-4-0", "/experiments/1.4.0/report.json", "/"])
    assert.equal((await ask(path, { headers })).status, 200, path);
  assert.deepEqual(JSON.parse((await ask("/api/me?experiment=1-4-0", { headers })).body), {
    name: "vera",
    hasSession: true,
    mayAct: false,
  });
  const secured = await logIn(ask, keys.vera, { Host: "pretrain.example", Origin: "https://pretrain.example" });
  assert.match(secured.headers["set-cookie"]?.[0] ?? "", /^__Host-pretrain=.*; HttpOnly; SameSite=Strict; Secure$/);
  assert.equal(secured.headers["strict-transport-security"], "max-age=31536000");
  const unprefixed = { Host: "pretrain.example", ...headers }; // as a neighbour below the domain could set it
  assert.equal((await ask("/api/me", { headers: unprefixed })).status, 401);
});

test("a session outlives a restart, and ends after twelve hours, with its key, or when anything of it is changed", async (t) => {
  const { pageAccess, keys, wait, remove } = await peopleOf(t, everyone);
  const headers = cookieOf(await logIn(await pageFor(t, { access: pageAccess }), keys.ada));
  const ask = await pageFor(t, { access: pageAccess });
  const status = async (asked: Record<string, string>) => (await ask("/api/me", { headers: asked })).status;
  assert.equal(await status(headers), 200);
  const { Cookie } = headers;
  const at = Cookie.length - 9;
  const changed = `${Cookie.slice(0, at)}${Cookie[at] === "A" ? "B" : "A"}${Cookie.slice(at + 1)}`;
  for (const wrong of [changed, Cookie.slice(0, -30), "pretrain=", "pretrain=AAAA"])
    assert.equal(await status({ Cookie: wrong }), 401, wrong);
  const elsewhere = await pageFor(t, { access: { ...pageAccess, sessionKey: randomBytes(32) } });
  assert.equal((await elsewhere("/api/me", { headers })).status, 401);
  wait(12 * 3600 * 1000 - 1);
  assert.equal(await status(headers), 200);
  wait(1);
  assert.equal(await status(headers), 401);
  const fresh = cookieOf(await logIn(ask, keys.ada));
  assert.equal(await status(fresh), 200);
  remove("ada");
  await until(async () => (await status(fresh)) === 401, { timeoutMs: 30_000 });
});

test("what a proxy or a program shows goes before a session, right or wrong; logging out takes the cookie away", async (t) => {
  const { pageAccess, keys } = await peopleOf(t, everyone);
  const ask = await pageFor(t, { access: pageAccess });
  const headers = cookieOf(await logIn(ask, keys.vera));
  const shown = await ask("/api/me", { headers: { ...headers, Authorization: `Bearer ${keys.ada}` } });
  assert.deepEqual(JSON.parse(shown.body), { name: "ada", hasSession: false });
  const wrong = { ...headers, Authorization: `Bearer ${keys.ada}x` };
  assert.equal((await ask("/api/me", { headers: wrong })).status, 401);
  const left = await ask("/api/logout", { method: "POST", body: "{}", headers });
  assert.match(left.headers["set-cookie"]?.[0] ?? "", /^pretrain=; Path=\/; Max-Age=0;/);
});

test("ten wrong keys a minute are judged, however many come at once; then nobody's from there, until the minute is over", async (t) => {
  const { pageAccess, keys, wait } = await peopleOf(t, everyone);
  const ask = await pageFor(t, { access: pageAccess });
  assert.equal((await logIn(ask, keys.vera)).status, 204); // a right one does not count
  const wrong = await Promise.all(Array.from({ length: 14 }, () => logIn(ask, `${keys.vera.slice(0, -1)}!`)));
  const statuses = wrong.map(({ status }) => status).sort((a, b) => a - b);
  assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(4).fill(429)]);
  assert.equal((await logIn(ask, keys.vera)).status, 429);
  wait(60_000);
  assert.equal((await logIn(ask, keys.vera)).status, 204);
  for (const body of ["{}", '{"key":7}', '{"key":"two words"}', `{"key":"${"k".repeat(2801)}"}`, "no JSON"])
    assert.match(String((await ask("/api/login", { method: "POST", body })).status), /^40[01]$/, body.slice(0, 20));
});

test("another site's page changes nothing: not with its origin, not without one, not as a form", async (t) => {
  const { pageAccess, keys } = await peopleOf(t, everyone);
  const ask = await pageFor(t, { access: pageAccess });
  const session = cookieOf(await logIn(ask, keys.ada));
  const body = JSON.stringify({ key: keys.ada });
  for (const path of ["/api/login", "/api/logout", "/api/actions/cancel"])
    for (const [claim, headers] of [
      ["a foreign origin", { Origin: "https://evil.example" }],
      ["an origin on another port", { Origin: "http://127.0.0.1:1" }],
      ["no origin to speak of", { Origin: "null" }],
      ["a neighbouring site", { "Sec-Fetch-Site": "same-site" }],
    ] as const) {
      const { status, headers: told } = await ask(path, { method: "POST", body, headers: { ...session, ...headers } });
      assert.deepEqual([status, told["set-cookie"]], [403, undefined], `${path}: ${claim}`);
    }
  const form = { ...session, "Content-Type": "text/plain" };
  assert.equal((await ask("/api/actions/cancel", { method: "POST", body, headers: form })).status, 400);
  assert.equal((await ask("/api/login", { method: "POST", body, headers: form })).status, 400);
});

test("what a person does is judged as the person's by the service that does it: the page lends nobody its own certificate", async (t) => {
  const { pageAccess, keys } = await peopleOf(t, everyone);
  const { access } = pageAccess;
  const tlsOf = await certificates(t);
  const seen: string[] = [];
  const see = (context: Parameters<typeof callerOf>[0]) => {
    const caller = callerOf(context);
    seen.push(`${caller?.kind} ${caller?.name}`);
  };
  const trainer = await servePeer(
    t,
    TrainerService,
    {
      pauseExperiment: ({ name }, context) => (see(context), create(ExperimentSchema, { name })),
      explainStep: ({ microStep }, context) => (see(context), create(StepExplanationSchema, { microStep })),
    },
    { access, tls: await tlsOf("trainer") },
  );
  const evaluator = await servePeer(
    t,
    EvaluatorService,
    {
      async *generate(_request, context) {
        see(context);
        yield create(GenerateResponseSchema, { text: "the whale" });
      },
    },
    { access, tls: await tlsOf("evaluator") },
  );
  const report = await servePeer(
    t,
    ReportService,
    { annotateReport: ({ annotation }, context) => (see(context), create(AnnotationSchema, annotation)) },
    { access, tls: await tlsOf("report") },
  );
  const ask = await pageFor(t, { access: pageAccess, trainer, evaluator, report, ownTls: await tlsOf("report") });
  const sessions = { vera: cookieOf(await logIn(ask, keys.vera)), ada: cookieOf(await logIn(ask, keys.ada)) };
  const act = async (who: keyof typeof sessions, action: string, body: object) => {
    const asked = { method: "POST", body: JSON.stringify(body), headers: sessions[who] } as const;
    const { status, body: told } = await ask(`/api/actions/${action}`, asked);
    return [status, /"reason":"(\w+)"/.exec(told)?.[1]];
  };
  const own = { name: "experiments/ada-1" };
  const note = { author: "somebody", finding: { kind: "KIND_NOTE", text: "It falls." } };
  assert.deepEqual(await act("ada", "pause", own), [200, undefined]);
  assert.deepEqual(await act("ada", "annotate", { experiment: own.name, annotation: note }), [200, undefined]);
  assert.deepEqual(await act("vera", "generate", { checkpoint: "experiments/a/checkpoints/8", prompt: "Call me" }), [
    200,
    undefined,
  ]);
  assert.deepEqual(await act("vera", "explain", { experiment: "experiments/1-4-0", microStep: "8" }), [200, undefined]);
  assert.deepEqual(seen, ["person ada", "person ada", "person vera", "person vera"]);
  assert.deepEqual(await act("vera", "pause", own), [403, "ROLE_MISSING"]);
  assert.deepEqual(await act("ada", "pause", { name: "experiments/1-4-0" }), [403, "ROLE_MISSING"]);
  assert.deepEqual(await act("vera", "annotate", { experiment: own.name, annotation: note }), [403, "ROLE_MISSING"]);
  assert.equal(seen.length, 4);
});

test("whose grant names experiments sees those, in any spelling, and is told which role the others take", async (t) => {
  const { pageAccess, keys } = await peopleOf(t, {
    ...everyone,
    reader: [{ role: "viewer", resources: ["experiments/1-4-0"] }],
  });
  const ask = await pageFor(t, { access: pageAccess });
  const asked = async (key: string, path: string) => await ask(path, { headers: { Authorization: `Bearer ${key}` } });
  for (const path of ["/api/experiments/1-4-0", "/experiments/1.4.0/report.json", "/experiments/1_4_0/report.html"]) {
    assert.equal((await asked(keys.reader, path)).status, 200, path);
    const refused = await asked(keys.guest, path);
    assert.deepEqual([refused.status, JSON.parse(refused.body).error.reason], [403, "ROLE_MISSING"], path);
    assert.match(refused.body, /guest.* is no viewer of experiments\/1-4-0;/);
  }
  for (const path of ["/api/experiments", "/api/live", "/api/comparison?ids=1-4-0,1-4-1"])
    assert.equal((await asked(keys.reader, path)).status, 403, path);
  assert.equal((await asked(keys.guest, "/")).status, 200); // the page itself shows nothing
});

test("the key of sessions is made once, for its owner alone; half a key is made anew", async (t) => {
  const folder = join(temporaryDirectory(t), "state");
  const key = await openSessionKey(folder);
  const file = join(folder, "session.key");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await openSessionKey(folder), key);
  writeFileSync(file, key.subarray(0, 5));
  const next = await openSessionKey(folder);
  assert.deepEqual([next.length, next.subarray(0, 5).equals(key.subarray(0, 5))], [32, false]);
});
