/** The page's addresses: what they answer, what they refuse, and the stream that keeps a page up to date. */
import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { create, fromJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ReportSchema, ReportWrittenSchema } from "@pretrain/proto";
import { parseExperimentFile } from "@pretrain/recipe";
import { until } from "@pretrain/testing";
import { EventWriter } from "../ledger/event-writer.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { CurrentReports } from "../reports/current-reports.ts";
import { openEventStream } from "../test-support/event-stream.ts";
import { type PageServer, servePage } from "../test-support/page-server.ts";
import { attempt, beginning, ending, runEvents, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { LiveStreams } from "./live-streams.ts";

const shape = runShape();
const steps = training(shape);

async function served(t: TestContext, ...options: Parameters<typeof servePage>): Promise<PageServer> {
  const server = await servePage(...options);
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

/** What is behind a path: status, type, text. */
async function get({ origin }: PageServer, path: string) {
  const response = await fetch(origin + path);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("the list has the newest experiment first, with its progress, loss, speed, time left and verdicts", async (t) => {
  const server = await served(t);
  server.append(runEvents());
  const later = runShape({ id: "1-4-1", title: "1.4.1", startMs: shape.startMs + 1e6 });
  server.append([...beginning(later), ...training(later).slice(0, 48)]);
  const [running, ended] = JSON.parse((await get(server, "/api/experiments")).text);
  assert.deepEqual(
    [running.id, running.title, running.state, running.totalMicroSteps, running.isFinal],
    ["1-4-1", "1.4.1", "RUNNING", 120, false],
  );
  assert.equal(running.microStep, 40); // 48 events: 40 steps, and two samples at every tenth
  assert.equal(running.tokensPerSecond, 4750);
  assert.ok(Math.abs(running.secondsLeft - 0.8 * (120 - running.microStep)) < 1e-9);
  assert.equal(running.verdicts, undefined);
  assert.deepEqual(
    [ended.id, ended.state, ended.verdicts, ended.secondsLeft],
    ["1-4-0", "COMPLETED", { targets: 4, met: 3, missed: 1 }, undefined],
  );
});

test("curves come through QueryMetrics: as many points as asked, only the range asked, refused names by their place", async (t) => {
  const server = await served(t);
  server.append(runEvents());
  const whole = JSON.parse(
    (await get(server, "/api/experiments/1-4-0/curves?metric=train/loss&metric=eval/loss&points=12")).text,
  );
  assert.deepEqual(
    whole.map(({ metric, last }: { metric: string; last: number[] }) => [metric, last.length]),
    [
      ["train/loss", 12],
      ["eval/loss", 3],
    ],
  );
  const [zoomed] = JSON.parse(
    (await get(server, "/api/experiments/1.4.0/curves?metric=train/loss&from=11&to=20&points=100")).text,
  );
  assert.deepEqual([zoomed.first[0], zoomed.last.at(-1), zoomed.last.length], [11, 20, 10]);
  for (const [query, named] of [
    ["metric=train/los", /metrics\[0\]/],
    ["metric=train/loss&from=-1", /from/],
    ["metric=train/loss&from=1e9", /from/],
    ["metric=train/loss&from=9&to=3", /to_micro_step/],
  ] as const) {
    const { status, text } = await get(server, `/api/experiments/1-4-0/curves?${query}`);
    assert.equal(status, 400, query);
    assert.match(text, named);
  }
});

test("the record is there in three forms, each with its own type, and as strict as the page", async (t) => {
  const server = await served(t);
  server.append(runEvents());
  const forms = await Promise.all(
    ["report.html", "report.md", "report.json"].map((form) => get(server, `/experiments/1-4-0/${form}`)),
  );
  assert.deepEqual(
    forms.map(({ headers }) => headers.get("content-type")),
    ["text/html; charset=utf-8", "text/markdown; charset=utf-8", "application/json; charset=utf-8"],
  );
  assert.match(
    forms[0]?.headers.get("content-security-policy") ?? "",
    /^default-src 'none'; style-src 'sha256-.*frame-ancestors 'none'$/,
  );
  assert.match(forms[1]?.text ?? "", /^# Experiment 1\.4\.0\n/);
  assert.equal(JSON.parse(forms[2]?.text ?? "{}").name, "experiments/1-4-0/report");
});

for (const language of ["en", "zh"] as const)
  test(`sections are those of the ${language} record, byte for byte, in its order; unknown ones are left out`, async (t) => {
    const server = await served(t);
    server.append(runEvents());
    const record = (await get(server, `/experiments/1-4-0/report.html?language=${language}`)).text;
    const whole = (await get(server, `/api/experiments/1-4-0/sections?language=${language}`)).text;
    assert.ok(whole.length > 10_000 && record.includes(whole));
    const some = await get(server, `/api/experiments/1-4-0/sections?language=${language}&ids=indicators,log,nothing`);
    assert.deepEqual(
      [...some.text.matchAll(/<section id="([a-z-]+)"/g)].map(([, id]) => id),
      ["log", "indicators"],
    );
    for (const section of some.text.split(/(?=<section )/)) assert.ok(record.includes(section));
  });

test("the recipe comes as a file that would start the same again", async (t) => {
  const server = await served(t);
  server.append(runEvents());
  const { text } = await get(server, "/experiments/1-4-0/recipe.yaml");
  const request = parseExperimentFile(text, "recipe.yaml");
  assert.equal(request.experimentId, "1.4.0");
  const reported = fromJsonString(ReportSchema, (await get(server, "/experiments/1-4-0/report.json")).text).recipe;
  assert.deepEqual(request.recipe, reported);
});

test("what is not there is 404, what is no id is 400, and no path leads out of the page's files", async (t) => {
  const server = await served(t);
  server.append(runEvents());
  for (const [path, status] of [
    ["/nothing", 404],
    ["/assets/main.js", 200],
    ["/assets/charts/charts.js", 200],
    ["/assets/charts", 404],
    ["/assets/tsconfig.json", 404],
    ["/assets/..%2f..%2fpackage.json", 404],
    ["/assets/", 404],
    ["/experiments/1-4-0", 200],
    ["/compare?ids=1-4-0,1-4-1", 200],
    ["/start", 200],
    ["/experiments/1-4-0/", 404],
    ["/experiments/1-4-0/report.html/x", 404],
    ["/experiments/9-9-9/report.html", 404],
    ["/experiments/a%20b/report.json", 400],
    ["/experiments/9-9-9/recipe.yaml", 404],
    ["/api/experiments/9-9-9", 404],
    ["/api/experiments/9-9-9/sections", 404],
    ["/api/actions/pause", 404],
    ["/api/experiments/9-9-9/curves?metric=train/loss", 404],
    ["/api/experiments/__proto__", 400],
    ["/api/live?experiment=a/b", 400],
  ] as const) {
    assert.equal((await get(server, path)).status, status, path);
  }
});

test("the page allows scripts and styles of its own only, and is shown in no frame", async (t) => {
  const { headers, text } = await get(await served(t), "/");
  const policy = headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!policy.includes("unsafe"));
  assert.ok(!/<script>|style=|onclick|https?:/.test(text));
});

test("a stream begins with refresh, then brings steps, facts and the overview as they come into the ledger", async (t) => {
  const server = await served(t, { paceMs: 10 });
  server.append([...beginning(shape), ...steps.slice(0, 30)]);
  const stream = openEventStream(t, `${server.origin}/api/live?experiment=1-4-0`);
  assert.equal((await stream.next()).event, "refresh");
  server.append(steps.slice(30, 34));
  const brought = await stream.next();
  assert.equal(brought.event, "steps");
  const { microStep, loss } = JSON.parse(brought.data);
  assert.deepEqual(microStep, [27, 28, 29, 30]); // the 30 events before held 26 steps and 4 samples
  assert.ok(loss.every((value: number) => value > 3 && value < 10));
  assert.equal((await stream.next()).event, "overview");
  server.append(ending(shape));
  assert.deepEqual([(await stream.next()).event, (await stream.next()).event], ["facts", "experiments"]);
});

test("a stream that was cut goes on at its place: no step is lost, none comes twice", async (t) => {
  const server = await served(t, { paceMs: 10 });
  server.append([...beginning(shape), ...steps.slice(0, 30)]);
  const stream = openEventStream(t, `${server.origin}/api/live?experiment=1-4-0`);
  await stream.next();
  server.append(steps.slice(30, 32));
  const { id } = await stream.next();
  stream.close();
  server.append(steps.slice(32, 35));
  const resumed = openEventStream(t, `${server.origin}/api/live?experiment=1-4-0`, id);
  assert.equal((await resumed.next()).event, "resumed");
  assert.deepEqual(JSON.parse((await resumed.next()).data).microStep, [29, 30]);
});

test("a place that this ledger never gave, or that lies too far back, is answered with refresh", async (t) => {
  const server = await served(t, { paceMs: 10 });
  server.append(runEvents());
  const url = `${server.origin}/api/live?experiment=1-4-0`;
  for (const place of ["ffffffff-3", "nonsense", "-", "ffffffff-99999999999"]) {
    assert.equal((await openEventStream(t, url, place).next()).event, "refresh", place);
  }
  const stream = openEventStream(t, url);
  const { id } = await stream.next();
  stream.close();
  server.append(runEvents({ id: "2-0-0", stepsPerEpoch: 700 })); // 2,500 events of another experiment
  const late = openEventStream(t, url, id);
  assert.deepEqual([(await late.next()).event, (await late.next()).event], ["resumed", "refresh"]);
});

test("a new attempt makes the page ask anew, since steps may have been replaced", async (t) => {
  const server = await served(t, { paceMs: 10 });
  server.append([...beginning(shape), ...steps.slice(0, 60)]);
  const stream = openEventStream(t, `${server.origin}/api/live?experiment=1-4-0`);
  await stream.next();
  server.append([attempt(shape, 2, shape.startMs + 90_000, 40)]);
  assert.deepEqual([(await stream.next()).event, (await stream.next()).event], ["refresh", "facts"]);
});

test("a quiet stream shows that it is alive", async (t) => {
  const server = await served(t, { heartbeatMs: 40, patienceMs: 40 });
  const stream = openEventStream(t, `${server.origin}/api/live`);
  await stream.next();
  await until(() => stream.comments() >= 2);
});

test("a reader that takes nothing is given nothing more, and is cut off after a while", async (t) => {
  using ledger = openLedger(":memory:");
  const reports = new CurrentReports(ledger, () => performance.now());
  using live = new LiveStreams({ ledger, reports, paceMs: 1, heartbeatMs: 20, patienceMs: 200 });
  const response = new ServerResponse(new IncomingMessage(new Socket())); // no socket takes what is written
  t.after(() => response.destroy());
  const writer = new EventWriter(ledger);
  writer.append(beginning(shape));
  live.open(response.req, response, "1-4-0");
  const many = training(runShape({ stepsPerEpoch: 3000, saveInterval: 1e9, epochs: 1 }));
  for (let sent = 0; sent < many.length; sent += 100) {
    writer.append(many.slice(sent, sent + 100));
    live.changed();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok(
    response.writableLength < 2 * response.writableHighWaterMark,
    `${response.writableLength} bytes are held for it`,
  );
  await until(() => response.destroyed);
});

test("experiments side by side are sections of the document that can be kept; too few, too many or unknown ones are refused", async (t) => {
  const server = await served(t);
  server.append([...runEvents(), ...runEvents({ id: "1-4-1", title: "1.4.1", seed: 8 })]);
  const sections = await get(server, "/api/comparison?ids=1.4.0,1-4-1&language=zh");
  assert.equal(sections.status, 200);
  assert.match(sections.text, /^<section id="experiments"/);
  assert.ok((await get(server, "/compare/comparison.html?ids=1-4-0,1-4-1&language=zh")).text.includes(sections.text));
  for (const [ids, status] of [
    ["1-4-0", 400],
    [Array.from({ length: 17 }, (_, index) => index).join(","), 400],
    ["1-4-0,1.4.0", 400],
    ["1-4-0,9-9-9", 404],
  ] as const) {
    assert.equal((await get(server, `/api/comparison?ids=${ids}`)).status, status, ids);
  }
});

test("the list says of an ended experiment what its record was announced with, without building it again", async (t) => {
  const server = await served(t);
  const announced = create(ReportWrittenSchema, {
    experiment: "experiments/1-4-0",
    time: timestampFromMs(shape.startMs + 1e6),
    reportSha256: "aa".repeat(32),
    targets: 9,
    targetsMet: 6,
    targetsMissed: 2,
  });
  server.append([...runEvents(), { kind: "report", message: announced }]);
  const [ended] = JSON.parse((await get(server, "/api/experiments")).text);
  assert.deepEqual(ended.verdicts, { targets: 9, met: 6, missed: 2 });
});
