/** What a dying process, a failing disk and a full disk leave. The writer is a child process that only puts blobs. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryDirectory, until } from "@pretrain/testing";
import { openBlobs } from "./index.ts";

const entry = fileURLToPath(new URL("./index.ts", import.meta.url));
const isThere = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const noStrace = isThere("strace", "-V") ? false : "strace is not installed";
const noNamespace = isThere("unshare", "-Urm", "true") ? false : "this user may not make a mount namespace";

/** Runs `body` in a process of its own, with `store` open on `root` and the blob "k" to be put as "new content". */
function writer(root: string, body: string, wrapper: readonly string[] = []): ChildProcess {
  const program = `import { openBlobs } from ${JSON.stringify(entry)};
    const store = openBlobs(${JSON.stringify(pathToFileURL(root).href)});
    const content = new TextEncoder().encode("new content");
    ${body}`;
  const node = [process.execPath, "--input-type=module-typescript", "-e", program];
  const [command = process.execPath, ...args]: readonly string[] = [...wrapper, ...node];
  return spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
}

async function output(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(child, "close");
  return text;
}

async function keysIn(root: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of openBlobs(pathToFileURL(root).href).list("")) keys.push(key);
  return keys;
}

test("a writer killed in the middle of a put leaves no blob; its file is removed ten minutes later, others' never", async (t) => {
  const root = temporaryDirectory(t);
  const incomplete = join(root, ".incomplete");
  const endless = `async function* endless() { for (;;) { yield content; await new Promise((r) => setTimeout(r, 5)); } }
    await store.put("k", endless());`;
  const child = writer(root, endless);
  t.after(() => child.kill("SIGKILL"));
  const leftover = await until(() =>
    readdirSync(incomplete).find((name) => statSync(join(incomplete, name)).size > 50),
  );
  child.kill("SIGKILL");
  await once(child, "close");
  assert.deepEqual(await keysIn(root), []);

  const foreign = ["notes.part", `${"0".repeat(32)}.part.bak`, `${"A".repeat(32)}.part`];
  for (const name of foreign) writeFileSync(join(incomplete, name), "somebody else's");
  mkdirSync(join(incomplete, `${"0".repeat(32)}.part`));
  const left = () => readdirSync(incomplete).sort();
  const everything = left();
  const age = (seconds: number) => {
    for (const name of everything) utimesSync(join(incomplete, name), Date.now() / 1000, Date.now() / 1000 - seconds);
  };
  age(540);
  await openBlobs(pathToFileURL(root).href).put("k", Buffer.from("x"));
  assert.deepEqual(left(), everything, "after nine minutes it may still belong to a living writer");
  age(660);
  await openBlobs(pathToFileURL(root).href).put("k", Buffer.from("x"));
  assert.deepEqual(
    left(),
    everything.filter((name) => name !== leftover),
  );
});

/**
 * Puts "folder/k" over an old content while strace breaks one system call. One thread does all of a process's file calls
 * then, because strace counts them for each thread apart.
 */
async function putUnderStrace(t: TestContext, injected: string, body: string): Promise<{ root: string; text: string }> {
  const root = temporaryDirectory(t);
  await openBlobs(pathToFileURL(root).href).put("folder/k", Buffer.from("old content"));
  const strace = [
    "env",
    "UV_THREADPOOL_SIZE=1",
    "strace",
    "-f",
    "-qqq",
    "-e",
    "trace=fsync,rename",
    "-e",
    `inject=${injected}`,
  ];
  const child = writer(root, body, strace);
  t.after(() => child.kill("SIGKILL"));
  return { root, text: await output(child) };
}

const contentOf = (root: string) => readFileSync(join(root, "folder/k"), "utf8");

// The fsyncs of that put: 1 the root (it may have gained the folder of unfinished files), 2 the file, 3 the root, 4 the
// folder with the new name in it.
for (const [injected, expected] of [
  ["fsync:signal=KILL:when=1", ["old content"]],
  ["fsync:signal=KILL:when=2", ["old content"]],
  ["fsync:signal=KILL:when=3", ["old content"]],
  ["rename:signal=KILL:when=1", ["old content", "new content"]],
  ["fsync:signal=KILL:when=4", ["new content"]],
] as const) {
  test(`after a kill at ${injected} the blob is ${expected.join(" or ")}, whole`, { skip: noStrace }, async (t) => {
    const { root, text } = await putUnderStrace(
      t,
      injected,
      `await store.put("folder/k", content); console.log("acknowledged");`,
    );
    assert.doesNotMatch(text, /acknowledged/);
    assert.ok(expected.some((content) => content === contentOf(root)));
    assert.deepEqual(await keysIn(root), ["folder/k"]);
  });
}

test("a failed fsync of the file fails the put, and a second put writes a new file", { skip: noStrace }, async (t) => {
  const body = `console.log(await store.put("folder/k", content).catch((error) => error.status + " " + error.metadata.path));
    console.log((await store.list("").next()).value.sizeBytes);
    console.log((await store.put("folder/k", content)).sizeBytes);`;
  const { root, text } = await putUnderStrace(t, "fsync:error=EIO:when=2", body);
  const lines = text.split("\n").filter((line) => !line.includes("fsync(") && !line.includes("rename("));
  assert.deepEqual(lines, [`UNAVAILABLE ${join(root, "folder/k")}`, "11", "11", ""]);
  assert.equal(contentOf(root), "new content");
  assert.deepEqual(readdirSync(join(root, ".incomplete")), []);
});

test("a failed fsync of the folder fails the put: the name may be lost in a power cut", {
  skip: noStrace,
}, async (t) => {
  const body = `console.log(await store.put("folder/k", content).catch((error) => error.status));`;
  const { text } = await putUnderStrace(t, "fsync:error=EIO:when=4", body);
  assert.match(text, /^UNAVAILABLE$/m);
});

test("a full disk is RESOURCE_EXHAUSTED with the path, and the old blob stays", { skip: noNamespace }, async (t) => {
  const root = temporaryDirectory(t);
  const body = `await store.put("folder/k", content);
    const error = await store.put("folder/k", new Uint8Array(2 ** 20)).catch((error) => error);
    console.log(error.status, error.message, new TextDecoder().decode(await store.read("folder/k")));
    for await (const { key } of store.list("")) console.log(key);
    await store.put("folder/k", new Uint8Array(2 ** 18)); // the half-written megabyte is gone: there is room again
    console.log("room");`;
  const mount = ["unshare", "-Urm", "sh", "-c", `mount -t tmpfs -o size=512k tmpfs "$0" && exec "$@"`, root];
  const expected = `RESOURCE_EXHAUSTED ${root}/folder/k cannot be written: the disk is full new content\nfolder/k\nroom\n`;
  assert.equal(await output(writer(root, body, mount)), expected);
});
