/** The Dockerfiles: clean under hadolint, and true about what the assembly makes. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { toolPath, whyNoTools } from "../tools/index.ts";
import { checkout } from "./checkout.ts";
import { cudaWheels } from "./cuda-wheels.ts";
import { roleNames, workspaceInImage } from "./roles.ts";
import { userId } from "./root-file-system.ts";
import { nodeInImage } from "./system-files.ts";

const fileOf = (name: string) => join(checkout, "deploy/images", `${name}.Dockerfile`);
const textOf = (name: string) => readFileSync(fileOf(name), "utf8");

test("hadolint finds nothing", { skip: whyNoTools("hadolint") }, async () => {
  await promisify(execFile)(toolPath("hadolint"), roleNames.map(fileOf));
});

for (const name of roleNames) {
  test(`${name}: the last stage is what was assembled, from nothing, for nobody in particular`, () => {
    const text = textOf(name);
    const [first = "", last = ""] = text.split(/^FROM scratch$/m);
    assert.match(first, new RegExp(`assemble ${name} --into /rootfs$`, "m"));
    assert.match(last, new RegExp(`^USER ${userId}:${userId}$`, "m"));
    assert.match(last, new RegExp(`^ENTRYPOINT \\["${nodeInImage}"`, "m"));
    assert.match(last, new RegExp(`CMD \\["${nodeInImage}", "${workspaceInImage}/health-check.ts"\\]`));
    assert.match(last, new RegExp(`^WORKDIR ${workspaceInImage}$`, "m"));
    assert.ok(!/^RUN/m.test(last), "nothing runs in an image without a shell");
    assert.match(first, /^FROM debian:\d+\.\d+-slim AS build$/m);
  });
}

test("up to the assembly, images on processors are made by the same steps, so that their layers are shared", () => {
  const steps = (name: string) =>
    textOf(name)
      .split(/^RUN .*assemble/m)[0]
      ?.replace(/^#.*\n/gm, "");
  assert.equal(steps("cpu-worker"), steps("api"));
});

test("the image for a GPU looks for libraries where the assembly puts each wheel's, and for XLA's where they are", () => {
  const text = textOf("gpu-worker");
  const folder = `${workspaceInImage}/libs/engine/tensorflow-native/.native/nvidia`;
  const [, path = ""] = /LD_LIBRARY_PATH=([\s\S]*?)\n(?!\/)/.exec(text) ?? [];
  const libraries = cudaWheels.filter(({ select }) => select.some((pattern) => pattern.includes("/lib/")));
  const expected = libraries.map((wheel) => `${folder}/${wheel.folder}/lib`);
  assert.deepEqual(path.replaceAll("\\\n", "").split(":"), [...expected, "/usr/lib64", "/usr/lib/x86_64-linux-gnu"]);
  assert.match(text, new RegExp(`XLA_FLAGS=--xla_gpu_cuda_data_dir=${folder}/cuda_nvcc `));
});
