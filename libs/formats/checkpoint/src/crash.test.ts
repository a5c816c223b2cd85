/**
 * A save that dies at any of its system calls, or whose fsync fails. The saver is a process of its own; strace joins it when it
 * is ready, counts its file calls from there and kills it at one of them. PRETRAIN_EVERY_CALL=1 goes through all of them.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BlobStore, openBlobs } from "@pretrain/blobs";
import { temporaryDirectory } from "@pretrain/testing";
import {
  type CheckpointContent,
  listCheckpoints,
  readCheckpoint,
  sealCheckpoint,
  writeCheckpointParts,
} from "./index.ts";

const entry = fileURLToPath(new URL("./index.ts", import.meta.url));
const blobsEntry = import.meta.resolve("@pretrain/blobs");
const expected = {
  model: new Map([["w", { dtype: "F32" as const, shape: [4] }]]),
  optimizer: new Map([["m/w", { dtype: "F32" as const, shape: [4] }]]),
  recipeSha256: "a".repeat(64),
};

function contentAt(microStep: number): CheckpointContent {
  const data = Float32Array.of(microStep, 1, 2, 3);
  return {
    model: new Map([["w", { dtype: "F32", shape: [4], data }]]),
    optimizer: new Map([["m/w", { dtype: "F32", shape: [4], data }]]),
    state: {
      experiment: "a",
      attempt: 1,
      attemptNonce: "n",
      microStep,
      optimizerStep: microStep,
      epoch: 1,
      tokensSeen: 1,
      cursor: { epoch: 1, row: 1 },
      seed: 1,
      recipeSha256: expected.recipeSha256,
      dataset: "d",
      datasetSha256: "d".repeat(64),
      exactness: {},
    },
  };
}

async function save(blobs: BlobStore, microStep: number): Promise<void> {
  const content = contentAt(microStep);
  const { cursor: _, seed: __, datasetSha256: ___, exactness: ____, ...shared } = content.state;
  const parts = await writeCheckpointParts(blobs, content);
  const sealing = { parts, final: false, createTime: "2025-07-30T15:30:00.000Z", writeSeconds: 0 };
  await sealCheckpoint(blobs, { ...shared, ...sealing });
}

/** A process that says "ready", and for each line "save" that it reads saves checkpoint 40 and says what came of it. */
function saver(t: TestContext, root: string): { child: ChildProcess; next: () => Promise<string> } {
  const program = `import { openBlobs } from ${JSON.stringify(blobsEntry)};
    import { writeCheckpointParts, sealCheckpoint } from ${JSON.stringify(entry)};
    import { createInterface } from "node:readline";
    const blobs = openBlobs(${JSON.stringify(pathToFileURL(root).href)});
    ${contentAt.toString()}
    const expected = { recipeSha256: "a".repeat(64) };
    ${save.toString()}
    await blobs.stat("a"); // the thread that does file calls is there
    console.log("ready");
    for await (const _ of createInterface({ input: process.stdin })) {
      console.log(await save(blobs, 40).then(() => "saved", (error) => error.status ?? String(error)));
    }`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" }, // strace counts for each thread apart
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.stdout !== null);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async () => String((await lines.next()).value) };
}

const calls = "openat,write,pwrite64,writev,fsync,fdatasync,close,rename,link,unlink,mkdir";

/** Resolves when strace has joined the process. @returns what it printed, and its end */
async function strace(t: TestContext, child: ChildProcess, traced: string, injected?: string) {
  const inject = injected === undefined ? [] : ["-e", `inject=${injected}`];
  const tracer = spawn("strace", ["-f", "-p", String(child.pid), "-e", `trace=${traced}`, ...inject], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => tracer.kill("SIGKILL"));
  let text = "";
  const joined = Promise.withResolvers<void>();
  tracer.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (/attached/.test(text)) joined.resolve();
  });
  const ended = once(tracer, "close").then(() => text);
  await Promise.race([joined.promise, ended.then((words) => assert.fail(`strace does not join: ${words}`))]);
  return { ended };
}

interface Call {
  readonly name: string;
  /** Which one of that name, from 1: so strace counts. */
  readonly n: number;
}

/** The calls that one whole save makes, in order, all of them in the one thread that calls fsync. */
async function callsOfSave(t: TestContext, traced: string): Promise<Call[]> {
  const { child, next } = saver(t, await storeWith20(t));
  assert.equal(await next(), "ready");
  const { ended } = await strace(t, child, traced);
  child.stdin?.end("save\n");
  assert.equal(await next(), "saved");
  const lines = [...(await ended).matchAll(/^\[pid +(\d+)\] (\w+)\(/gm)];
  const [, thread] = lines.find(([, , call]) => call === "fsync") ?? [];
  const counts = new Map<string, number>();
  return lines
    .filter(([, of]) => of === thread)
    .map(([, , name = ""]) => {
      const n = (counts.get(name) ?? 0) + 1;
      counts.set(name, n);
      return { name, n };
    });
}

async function storeWith20(t: TestContext): Promise<string> {
  const root = temporaryDirectory(t);
  await save(openBlobs(pathToFileURL(root).href), 20);
  return root;
}

/** Nothing is listed that does not load, the one before always is, and what is left is in nobody's way. */
async function expectWhole(root: string): Promise<number> {
  const blobs = openBlobs(pathToFileURL(root).href);
  const { checkpoints, damaged } = await listCheckpoints(blobs, "a");
  assert.deepEqual(damaged, []);
  assert.equal(checkpoints[0]?.manifest.microStep, 20);
  for (const sealed of checkpoints) {
    const { model } = await readCheckpoint(blobs, sealed, expected);
    assert.equal(model.get("w")?.data[0], sealed.manifest.microStep);
  }
  return checkpoints.length;
}

function whyNotStrace(): string | false {
  if (spawnSync("strace", ["-V"]).status !== 0) return "strace is not installed";
  const scope = process.getuid?.() === 0 ? "0" : ptraceScope();
  return scope === "0" ? false : "this user may not trace a process that runs already (kernel.yama.ptrace_scope)";
}

function ptraceScope(): string {
  try {
    return readFileSync("/proc/sys/kernel/yama/ptrace_scope", "utf8").trim();
  } catch {
    return "0"; // the kernel has no such rule
  }
}

const skip = whyNotStrace();
const isLong = process.env["PRETRAIN_EVERY_CALL"] === "1";

test("killed at any system call of a save: what is listed loads, and the checkpoint before it is there", {
  skip,
}, async (t) => {
  const all = await callsOfSave(t, calls);
  assert.ok(all.length > 60, `${all.length} calls`);
  const stride = isLong ? 1 : Math.ceil(all.length / 30);
  const places = all.filter((_, i) => i % stride === 0);
  let killed = 0;
  let sealed = 0;
  for (const { name, n } of places) {
    const root = await storeWith20(t);
    const { child, next } = saver(t, root);
    assert.equal(await next(), "ready");
    await strace(t, child, name, `${name}:signal=KILL:when=${n}`);
    const exited = once(child, "exit");
    child.stdin?.end("save\n");
    const said = await next();
    await exited;
    killed += Number(child.signalCode === "SIGKILL");
    const found = await expectWhole(root);
    assert.ok(said !== "saved" || found === 2, "what was acknowledged is there");
    sealed += found - 1;
    await save(openBlobs(pathToFileURL(root).href), found === 1 ? 40 : 60);
    assert.equal(await expectWhole(root), found + 1);
  }
  const found = `${all.length} calls, killed at ${killed} of ${places.length} of them`;
  t.diagnostic(`${found}; ${sealed} times the checkpoint was there already`);
  assert.ok(killed >= places.length - 2, found); // the last ones may come behind the answer
});

test("the n-th fsync fails, for each n: the save fails, and no fsync is repeated into a success", {
  skip,
}, async (t) => {
  const { length: count } = await callsOfSave(t, "fsync");
  assert.ok(count >= 8, `${count} fsyncs: a file and a folder for each of four blobs`);
  for (let n = 1; n <= count; n += 1) {
    const root = await storeWith20(t);
    const { child, next } = saver(t, root);
    assert.equal(await next(), "ready");
    await strace(t, child, "fsync", `fsync:error=EIO:when=${n}`);
    child.stdin?.write("save\n");
    assert.equal(await next(), "UNAVAILABLE", `fsync ${n} of ${count}`);
    const found = await expectWhole(root);
    child.stdin?.end("save\n"); // writes all of it anew; a manifest whose name may be lost in a power cut is not vouched for
    assert.equal(await next(), found === 1 ? "saved" : "FAILED_PRECONDITION");
    assert.equal(await expectWhole(root), 2);
    assert.deepEqual(readdirSync(join(root, ".incomplete")), []);
  }
});
