/** What images hold of the workspace: enough for every program, and nothing that only development needs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, posix } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryDirectory } from "@pretrain/testing";
import { checkout } from "./checkout.ts";
import { workspaceFiles } from "./compose-image.ts";
import { filesOf, isHeld } from "./package-files.ts";
import { roles } from "./roles.ts";
import type { Entry } from "./root-file-system.ts";
import { packagesOf } from "./workspace-packages.ts";
import { writeRoot } from "./write-root.ts";

for (const role of [roles.api, roles["cpu-worker"]]) {
  const packages = packagesOf(checkout, role.services);
  const files = workspaceFiles(packages);

  test(`${role.name}: every link leads to something that the image holds`, () => {
    const folders = new Set([...files.keys()].flatMap(foldersAbove));
    for (const [path, entry] of files) {
      if (entry.kind !== "link") continue;
      const target = posix.join(posix.dirname(path), entry.target);
      assert.ok(folders.has(target), `${path} leads to ${target}, which is not there`);
    }
  });

  test(`${role.name}: every package that a source of ours imports is linked where Node looks for it`, () => {
    for (const each of packages.filter(({ isOurs }) => isOurs)) {
      for (const [file, imported] of importsOf(each.folder, filesOf(checkout, each))) {
        if (imported === each.name || each.links.has(imported)) continue;
        assert.fail(`${each.folder}/${file} imports ${imported}; it belongs into the dependencies of ${each.name}`);
      }
    }
  });

  test(`${role.name}: no test, no compiler, no declaration of types is held`, () => {
    const names = packages.map(({ name }) => name);
    const needless = names.filter((name) =>
      /^(typescript|@types\/.*|@biomejs\/.*|fast-check|@pretrain\/(testing|golden))$/.test(name),
    );
    assert.deepEqual(needless, []);
    assert.deepEqual(
      [...files.keys()].filter((path) => /\.test\.ts$|\.d\.[cm]?ts$|\.map$/.test(path)),
      [],
    );
  });
}

test("the services of the image without an engine load from its files alone, and then miss what they must be told", async (t) => {
  const folder = join(temporaryDirectory(t), "workspace");
  const files = workspaceFiles(packagesOf(checkout, roles.api.services));
  await writeRoot(new Map([...files].map(([path, entry]) => [`/${path}`, entry])), folder);
  for (const service of roles.api.services) {
    const words = ["--no-addons", join(folder, service, "src/main.ts")];
    const run = promisify(execFile)(process.execPath, words, { cwd: folder, env: {} });
    await assert.rejects(run, (error) => /PRETRAIN_BLOBS: is not set/.test(logOf(error)), service);
  }
});

test("what an evaluation's certificate is a digest of is held whole, but for tests", () => {
  const held = (folder: string, file: string) => isHeld({ name: "@pretrain/x", folder, isOurs: true }, file);
  assert.ok(held("libs/learning/model", "src/testing.ts"));
  assert.ok(held("libs/engine/fused-kernels", "README.md"));
  assert.ok(held("services/evaluator", "src/worker/test-support/plant.ts"));
  assert.ok(!held("libs/learning/model", "src/model.test.ts"));
  assert.ok(!held("services/evaluator", "src/test-support/plant.ts"));
  assert.ok(!held("libs/platform/rpc", "README.md"));
});

test("of others' packages, licenses stay and what Node cannot run goes", () => {
  const held = (file: string, name = "x") => isHeld({ name, folder: `node_modules/${name}`, isOurs: false }, file);
  for (const file of ["index.js", "LICENSE.md", "NOTICE", "data.json", "module.wasm"]) assert.ok(held(file), file);
  for (const file of ["index.d.ts", "index.js.map", "README.md", "src/index.ts"]) assert.ok(!held(file), file);
  assert.ok(held("dist/tf-core.node.js", "@tensorflow/tfjs-core"));
  assert.ok(!held("dist/tf-core.min.js", "@tensorflow/tfjs-core"));
});

test("two assemblies are the same to the time of every file, and another byte is another digest", async (t) => {
  const folder = temporaryDirectory(t);
  const root = (text: string) =>
    new Map<string, Entry>([
      ["/opt/a/file", { kind: "text", text }],
      ["/opt/link", { kind: "link", target: "a/file" }],
      ["/tmp", { kind: "folder", mode: 0o1777, owner: 0 }],
    ]);
  const first = await writeRoot(root("one"), join(folder, "first"));
  const second = await writeRoot(root("one"), join(folder, "second"));
  const other = await writeRoot(root("two"), join(folder, "other"));
  assert.equal(second.sha256, first.sha256);
  assert.notEqual(other.sha256, first.sha256);
  assert.equal(readFileSync(join(folder, "first/opt/link"), "utf8"), "one");
  assert.equal(statSync(join(folder, "first/opt/a")).mtimeMs, 0);
  assert.equal(statSync(join(folder, "first/tmp")).mode & 0o7777, 0o1777);
  await assert.rejects(writeRoot(root("one"), join(folder, "first")), /holds something already/);
});

function logOf(error: unknown): string {
  return error instanceof Error && "stdout" in error ? `${String(error.stdout)}${error.message}` : String(error);
}

function foldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Imports of packages, by file; those of types alone are not there any more when Node runs it. */
function importsOf(folder: string, files: readonly string[]): [file: string, imported: string][] {
  return files
    .filter((file) => file.endsWith(".ts") && !/\/testing\.ts$|\.fuzz\.ts$/.test(file))
    .flatMap((file) => {
      const text = stripTypeScriptTypes(readFileSync(join(checkout, folder, file), "utf8"));
      const specifiers = [
        ...text.matchAll(/^(?:import|export|\})[^;"'=]*? from "((?:@[\w-]+\/)?[\w-][\w.-]*)[^"]*"/gm),
      ];
      return specifiers.flatMap(([, name = ""]): [string, string][] => (name === "node" ? [] : [[file, name]]));
    });
}
