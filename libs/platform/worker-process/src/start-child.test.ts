import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Unavailable } from "@pretrain/errors";
import { temporaryDirectory, until } from "@pretrain/testing";
import { kinds, startChild } from "./index.ts";
import type { FromChild, ToChild } from "./testdata/child.ts";

async function start(t: TestContext, environment: Record<string, string> = {}, niceness = 0) {
  const heard: FromChild[] = [];
  const child = await startChild<ToChild, FromChild>({
    module: new URL("./testdata/child.ts", import.meta.url),
    environment,
    receives: kinds<FromChild>({ ready: true, echo: true, blocking: true }),
    onMessage: (message) => void heard.push(message),
    niceness,
  });
  t.after(() => child.kill());
  const next = <K extends FromChild["kind"]>(kind: K) =>
    until(() => heard.find((message): message is Extract<FromChild, { kind: K }> => message.kind === kind));
  return { child, next };
}

/** Whether the process handles the signal itself, as the system knows. */
function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

test("typed arrays pass in both directions with their values", async (t) => {
  const { child, next } = await start(t);
  await child.send({ kind: "echo", values: Float32Array.of(1.5, -2, Number.NaN) });
  assert.deepEqual((await next("echo")).values, Float32Array.of(3, -4, Number.NaN));
});

test("a child sees the given environment and nothing of ours", async (t) => {
  const { next } = await start(t, { ONLY: "this" });
  assert.deepEqual((await next("ready")).environment, ["ONLY"]);
});

/** Session, as the system numbers them, and niceness of every thread. */
function standing(processId: number): { readonly session: number; readonly niceness: readonly number[] } {
  const statOf = (thread: string) => {
    const stat = readFileSync(`/proc/${processId}/task/${thread}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  };
  const threads = readdirSync(`/proc/${processId}/task`).map(statOf);
  return { session: Number(threads[0]?.[3]), niceness: threads.map((fields) => Number(fields[16])) };
}

test("a nice child leaves the processors to others, of its session and of all others; another stands as we do", async (t) => {
  const [equal, nice] = [await start(t), await start(t, {}, 1)];
  for (const { next } of [equal, nice]) await next("ready");
  const ours = standing(process.pid);
  assert.equal(standing(equal.child.processId).session, ours.session);
  const { session, niceness } = standing(nice.child.processId);
  assert.equal(session, nice.child.processId);
  assert.deepEqual([...new Set(niceness)], [1]);
  const group = `/proc/${nice.child.processId}/autogroup`; // Linux with autogroups has it
  if (existsSync(group)) assert.match(readFileSync(group, "latin1"), /nice 1$/m);
});

test("an exit code is reported", async (t) => {
  const { child } = await start(t);
  await child.send({ kind: "exit", code: 7 });
  assert.deepEqual(await child.exited, { code: 7, signal: null, stderrTail: "" });
});

test("a native abort is reported with its signal and the last words on stderr", async (t) => {
  const { child } = await start(t);
  await child.send({ kind: "abort" });
  const { code, signal, stderrTail } = await child.exited;
  assert.deepEqual({ code, signal }, { code: null, signal: "SIGABRT" });
  assert.match(stderrTail, /about to abort/);
});

test("SIGTERM is for a worker to obey; a child that leaves it to its parent is killed when the grace is over", async (t) => {
  const notes = join(temporaryDirectory(t), "notes");
  const worker = await startChild<ToChild, FromChild>({
    module: new URL("./testdata/worker.ts", import.meta.url),
    environment: { NOTES: notes, BEHAVIOUR: "work" },
    receives: kinds<FromChild>({ ready: true, echo: true, blocking: true }),
    onMessage: () => undefined,
  });
  t.after(() => worker.kill());
  await until(() => existsSync(notes), { timeoutMs: 60_000 });
  assert.equal((await worker.stop(60_000)).code, 0);
  assert.match(readFileSync(notes, "utf8"), /SIGTERM/);
  const { child, next } = await start(t);
  await next("ready");
  const begun = performance.now();
  assert.equal((await child.stop(200)).signal, "SIGKILL");
  assert.ok(performance.now() - begun >= 199);
});

test("a message to a child that is gone is refused as Unavailable", async (t) => {
  const { child } = await start(t);
  await child.kill();
  await assert.rejects(child.send({ kind: "block" }), (error) => error instanceof Unavailable);
});

for (const what of ["text", null, { kind: "toString" }, { kind: "unknown" }, 42] as const) {
  test(`a child that says ${JSON.stringify(what)} is ended for it`, async (t) => {
    const { child } = await start(t);
    await child.send({ kind: "say", what });
    assert.match((await child.exited).protocolFault ?? "", /an unknown message/);
  });
}

test("a child whose pipe is written to by somebody else is ended for it, and its parent goes on", async (t) => {
  const { child } = await start(t);
  await child.send({ kind: "scribble", bytes: new TextEncoder().encode("*** stack smashing detected ***\n") });
  const { signal, protocolFault } = await child.exited;
  assert.equal(signal, "SIGKILL");
  assert.match(protocolFault ?? "", /^bytes that are no message: 2a2a2a20/);
});

test("a module that does not exist ends with code 1 and says so on stderr", async (t) => {
  const child = await startChild<ToChild, FromChild>({
    module: new URL("./testdata/absent.ts", import.meta.url),
    environment: {},
    receives: kinds<FromChild>({ ready: true, echo: true, blocking: true }),
    onMessage: () => undefined,
  });
  t.after(() => child.kill());
  const { code, stderrTail } = await child.exited;
  assert.equal(code, 1);
  assert.match(stderrTail, /Cannot find module .*absent\.ts/);
});

for (const behaviour of ["block", "listen"]) {
  test(`a child that ${behaviour}s dies with its parent, even when that is killed`, { timeout: 20_000 }, async (t) => {
    const parent = spawn(process.execPath, [
      fileURLToPath(new URL("./testdata/parent.ts", import.meta.url)),
      behaviour,
    ]);
    t.after(() => parent.kill("SIGKILL"));
    const [said] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
    const childId = Number(said);
    t.after(() => void (isAlive(childId) && process.kill(childId, "SIGKILL")));
    assert.ok(isAlive(childId));
    parent.kill("SIGKILL");
    await until(() => !isAlive(childId));
  });
}
