import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory, until } from "@pretrain/testing";
import { superviseWorker } from "./index.ts";

function supervise(t: TestContext, behaviour: string, hasWork: () => Promise<boolean>, pollMs = 50) {
  t.after(() => supervised[Symbol.asyncDispose]()); // first: what runs after a test runs in the order it was asked for
  const notes = join(temporaryDirectory(t), "notes");
  writeFileSync(notes, "");
  const supervised = superviseWorker({
    module: new URL("./testdata/worker.ts", import.meta.url),
    environment: { NOTES: notes, BEHAVIOUR: behaviour },
    hasWork,
    graceMs: 5_000,
    pollMs,
    log: createLog("test", "fatal"),
  });
  return { supervised, notes: () => readFileSync(notes, "utf8") };
}

test("no worker is started while there is no work", async (t) => {
  const { notes } = supervise(t, "work", () => Promise.resolve(false), 5);
  await pause(200);
  assert.equal(notes(), "");
});

test("a worker is started when there is work, once, and asked to end with its supervisor", async (t) => {
  const { supervised, notes } = supervise(t, "work", () => Promise.resolve(true), 5);
  await until(() => notes() === "start\n");
  await pause(300);
  const begun = performance.now();
  await supervised[Symbol.asyncDispose]();
  assert.ok(performance.now() - begun < 4_000, "it ends by itself, long before the grace is over");
  assert.equal(notes(), "start\nSIGTERM\n");
});

test("wake asks at once instead of at the next poll", async (t) => {
  let isThere = false;
  const { supervised, notes } = supervise(t, "work", () => Promise.resolve(isThere), 60_000);
  await pause(50);
  isThere = true;
  supervised.wake();
  await until(() => notes() === "start\n");
});

test("a worker that crashed is started again", async (t) => {
  const { notes } = supervise(t, "crash-once", () => Promise.resolve(!notes().includes("start\nstart")));
  await until(() => notes() === "start\nstart\n");
});

test("a worker that ended because it found nothing is started again only when there is work", async (t) => {
  let questions = 0;
  const { notes } = supervise(t, "end", () => Promise.resolve((questions += 1) === 2));
  await until(() => questions > 5);
  assert.equal(notes(), "start\n");
});

test("a question that fails is asked again", async (t) => {
  let questions = 0;
  const { notes } = supervise(t, "work", () =>
    (questions += 1) < 3 ? Promise.reject(new Error("no broker")) : Promise.resolve(true),
  );
  await until(() => notes() === "start\n");
  assert.equal(questions, 3);
});
