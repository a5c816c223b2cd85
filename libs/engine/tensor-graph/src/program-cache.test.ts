/** A kept program is found by all that it depends on, and by nothing less. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tf } from "@pretrain/tensorflow-native";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { DeviceState, declarePlacements, type Traceable, type TraceOptions, trace } from "./index.ts";

const x = { shape: [2], dtype: "float32" } as const;

/** A cache in a folder of the test's own, and how often the function was called to be traced. */
function opened(t: TestScope) {
  const folder = temporaryDirectory(t);
  const source = join(folder, "source.ts");
  writeFileSync(source, "the text of the function");
  const cache = { folder: join(folder, "cache"), sources: [source] };
  const state = new DeviceState({});
  t.after(() => state[Symbol.dispose]());
  let calls = 0;
  const traceable: Traceable = ({ feeds }) => {
    calls += 1;
    return { outputs: { y: tf.mul(feeds["x"] ?? 0, 3) } };
  };
  const tracedAgain = (label = "kept", changes: Partial<TraceOptions> = {}): boolean => {
    const before = calls;
    const kept = trace(label, traceable, { state, feeds: { x }, cache, ...changes });
    if (changes.feeds === undefined)
      assert.deepEqual(kept.run({ x: Float32Array.of(1, 2) }), { y: Float32Array.of(3, 6) });
    return calls > before;
  };
  return { cache, source, state, tracedAgain };
}

test("the second time the program is read and not traced", (t) => {
  const { tracedAgain } = opened(t);
  assert.deepEqual([tracedAgain(), tracedAgain(), tracedAgain()], [true, false, false]);
});

test("each thing that the program depends on makes another one", (t) => {
  const { cache, source, tracedAgain } = opened(t);
  tracedAgain();
  const changes: Record<string, () => boolean> = {
    "the label": () => tracedAgain("other"),
    "a feed's shape": () => tracedAgain("kept", { feeds: { x: { shape: [3], dtype: "float32" } } }),
    "the precision": () => tracedAgain("kept", { precision: "bfloat16" }),
    "the compiler": () => tracedAgain("kept", { xla: true }),
    "the key": () => tracedAgain("kept", { cache: { ...cache, key: { width: 4 } } }),
    "the variables": () => tracedAgain("kept", { state: new DeviceState({ weight: x }) }),
    "a declared operation": () => {
      declarePlacements({ Elsewhere: "lower" });
      return tracedAgain();
    },
    "a source": () => {
      writeFileSync(source, "another text");
      return tracedAgain();
    },
  };
  for (const [change, again] of Object.entries(changes)) assert.ok(again(), change);
  assert.equal(tracedAgain(), false);
});

test("a folder is digested with all that is in it but tests and what is hidden or installed", (t) => {
  const { cache, tracedAgain } = opened(t);
  const folder = temporaryDirectory(t);
  const again = () => tracedAgain("kept", { cache: { ...cache, sources: [folder] } });
  const write = (name: string, content = "text") => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  write("deep/step.ts");
  assert.equal(again(), true);
  for (const name of ["deep/step.test.ts", ".git/HEAD", "node_modules/other/index.js"]) write(name);
  assert.equal(again(), false, "tests, hidden and installed files change nothing");
  write("deep/step.ts", "other");
  assert.equal(again(), true);
  write("deep/new.ts");
  assert.equal(again(), true);
});

test("a source that is not there is an error, not a program without it", (t) => {
  const { cache, tracedAgain } = opened(t);
  assert.throws(() => tracedAgain("kept", { cache: { ...cache, sources: ["/nowhere/step.ts"] } }), { code: "ENOENT" });
});

test("a damaged program is traced again, and is whole then", (t) => {
  const { cache, tracedAgain } = opened(t);
  tracedAgain();
  const [name = ""] = readdirSync(cache.folder);
  const whole = readFileSync(join(cache.folder, name));
  truncateSync(join(cache.folder, name), 100);
  assert.equal(tracedAgain(), true);
  assert.equal(readFileSync(join(cache.folder, name)).length, whole.length);
  assert.equal(tracedAgain(), false);
});

test("the programs that were used last are kept, and what an interrupted write left an hour ago is removed", (t) => {
  const { cache, tracedAgain } = opened(t);
  const limited = { cache: { ...cache, limit: 2 } };
  const ago = (name: string, seconds: number) => {
    const time = Date.now() / 1000 - seconds;
    utimesSync(join(cache.folder, name), time, time);
  };
  tracedAgain("a", limited);
  const [first = ""] = readdirSync(cache.folder);
  tracedAgain("b", limited);
  for (const name of readdirSync(cache.folder)) ago(name, 100);
  ago(first, 200);
  tracedAgain("a", limited); // used: now the newest, though it is the oldest one
  for (const [name, seconds] of [
    ["old.program.1.writing", 4000],
    ["new.program.2.writing", 10],
  ] as const) {
    writeFileSync(join(cache.folder, name), "half");
    ago(name, seconds);
  }
  tracedAgain("c", limited);
  assert.deepEqual(
    readdirSync(cache.folder).filter((name) => name.endsWith(".writing")),
    ["new.program.2.writing"],
  );
  assert.equal(readdirSync(cache.folder).filter((name) => name.endsWith(".program")).length, 2);
  assert.equal(tracedAgain("a", limited), false, "a was used after b");
});

test("with a kept program a process needs neither the function nor tfjs, and computes the same", (t) => {
  const folder = join(temporaryDirectory(t), "cache");
  const run = (make: string) => {
    const code = `
      import { createRequire } from "node:module";
      import { DeviceState, trace } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
      const state = new DeviceState({});
      const options = { state, feeds: { x: { shape: [2], dtype: "float32" } }, cache: { folder: ${JSON.stringify(folder)}, sources: [] } };
      ${make}
      const files = Object.keys(createRequire(import.meta.url).cache);
      const { y } = trace("kept", traceable, options).run({ x: Float32Array.of(1, 2) });
      const loaded = [...files, ...Object.keys(createRequire(import.meta.url).cache)].some((file) => /tfjs.*[.]js$/.test(file));
      console.log(JSON.stringify({ y: [...y], loaded }));`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "utf8",
      cwd: import.meta.dirname,
    });
    assert.equal(child.status, 0, child.stderr);
    return JSON.parse(child.stdout) as unknown;
  };
  const tfjs = "const { tf } = await import('@pretrain/tensorflow-native');";
  assert.deepEqual(run(`${tfjs} const traceable = ({ feeds: { x } }) => ({ outputs: { y: tf.square(x) } });`), {
    y: [1, 4],
    loaded: true,
  });
  assert.deepEqual(run("const traceable = () => { throw new Error('traced'); };"), { y: [1, 4], loaded: false });
});
