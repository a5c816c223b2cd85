/**
 * What a person sees whose machine lacks something. The sources are copied beside an empty stand-in for the npm package, so that
 * nothing is built there yet; no test here fetches anything.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryDirectory } from "@pretrain/testing";
import { tensorflowEnvironment } from "./environment.ts";
import { bindingFile, bindingLink, chosenInstallation } from "./wheel.ts";

test("importing before the set-up says to run the set-up", async (t) => {
  const { run } = await unbuiltCopy(t);
  assert.equal(
    await run("await import('./src/before-loading.ts')"),
    "native TensorFlow is not built here; run `npm run setup` first",
  );
});

test("a missing g++ is found before anything is downloaded", async (t) => {
  const { run } = await unbuiltCopy(t);
  const message = "g++ is not installed, and the binding to TensorFlow is compiled with it; install g++";
  assert.equal(await run(build, { PATH: "/nonexistent" }), message);
});

test("a missing python3 is named together with what it is needed for", async (t) => {
  const { run, root } = await unbuiltCopy(t);
  await symlink("/bin/true", join(root, "g++"));
  assert.match(
    await run(build, { PATH: root }),
    /^python3 is not installed.*tensorflow-cpu==2\.21\.0; install Python 3 with pip$/,
  );
});

test("a complete folder is linked into the npm package without building, also after the link was lost or is another", async (t) => {
  const { run, root } = await unbuiltCopy(t);
  const link = join(root, "node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node");
  for (const choice of ["cpu", "gpu", "cpu"]) {
    const folder = join(root, ".native", `tensorflow-2.21.0-${choice}`);
    await mkdir(folder, { recursive: true });
    assert.equal(await run(build, { PATH: "/nonexistent", PRETRAIN_TENSORFLOW: choice }), "");
    assert.equal(await readlink(link), join(folder, bindingFile));
  }
});

test("a wrong PRETRAIN_TENSORFLOW is refused by name", () => {
  assert.throws(() => chosenInstallation({ PRETRAIN_TENSORFLOW: "tpu" }), {
    message: 'PRETRAIN_TENSORFLOW: must be cpu or gpu, is "tpu"',
  });
});

test("the set-up has linked the binding of this checkout", async () => {
  assert.equal(await readlink(bindingLink), join(chosenInstallation().folder, bindingFile));
});

test("the parent's variables fix the threads and load nothing native", async () => {
  assert.equal(tensorflowEnvironment({ threads: 3 }).TF_NUM_INTRAOP_THREADS, "3");
  const script = `
    await import("@pretrain/tensorflow-native/environment");
    const loaded = process.report.getReport().sharedObjects.filter((path) => /tensorflow/.test(path));
    console.log(loaded.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: here });
  assert.equal(stdout.trim(), "0");
});

const here = dirname(fileURLToPath(import.meta.url));
const build = "const { ensureTensorFlow } = await import('./src/build.ts'); await ensureTensorFlow();";

async function unbuiltCopy(t: TestContext) {
  const root = temporaryDirectory(t);
  await cp(here, join(root, "src"), { recursive: true });
  await writeFile(join(root, "package.json"), '{ "type": "module" }');
  const tfjs = join(root, "node_modules/@tensorflow/tfjs-node-gpu");
  await mkdir(tfjs, { recursive: true });
  await writeFile(join(tfjs, "package.json"), "{}");
  await symlink(join(here, "../node_modules/@pretrain"), join(root, "node_modules/@pretrain"));
  return { root, run: (script: string, environment = {}) => messageOfRun(script, root, environment) };
}

/** @returns the message of the error that ends the script, empty if none does */
async function messageOfRun(script: string, cwd: string, environment: Record<string, string>): Promise<string> {
  const caught = `try { ${script} } catch (error) { console.log(error.message) }`;
  const parameters = ["--input-type=module", "-e", caught];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    cwd,
    env: { ...process.env, ...environment },
  });
  return stdout.trim();
}
