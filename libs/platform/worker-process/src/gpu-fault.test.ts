import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "@pretrain/testing";
import { gpuFault } from "./index.ts";

/** A folder with a program of the driver's name that does this. */
function driver(t: TestContext, script: string): string {
  const folder = temporaryDirectory(t);
  const file = join(folder, "nvidia-smi");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return folder;
}

const faultWith = (folder: string, freePercent: number, more: Readonly<Record<string, string>> = {}) =>
  gpuFault({ freePercent, environment: { PATH: `${folder}:/usr/bin:/bin`, ...more } });

test("a GPU of which nine tenths are free can be had where nine tenths are needed", async (t) => {
  assert.equal(await faultWith(driver(t, 'echo "90, 100"'), 90), undefined);
});

test("one that another process still holds cannot, and the fault says how much is free", async (t) => {
  const fault = await faultWith(driver(t, 'echo "89, 100"'), 90);
  assert.match(fault ?? "", /^89 of the GPU's 100 MiB are free, 90 % are needed/);
});

test("one that is shared is not asked for its memory, only whether it is there", async (t) => {
  assert.equal(await faultWith(driver(t, 'echo "0, 100"'), 0), undefined);
  assert.equal(await faultWith(driver(t, 'echo "[N/A], [N/A]"'), 0), undefined); // a slice of one tells no memory
  const fault = await faultWith(driver(t, 'echo "No devices were found" >&2; exit 6'), 0);
  assert.match(fault ?? "", /^nvidia-smi does not tell of a GPU: .*No devices were found/s);
});

test("an answer that is none is no free GPU", async (t) => {
  assert.match((await faultWith(driver(t, 'echo "[N/A], [N/A]"'), 90)) ?? "", /does not tell its memory: .*N\/A/);
});

test("of several the first counts, or the one that this process is to see", async (t) => {
  const folder = driver(t, 'case "$*" in *--id=3*) echo "5, 100";; *) printf "100, 100\\n5, 100\\n";; esac');
  assert.equal(await faultWith(folder, 90), undefined);
  assert.match((await faultWith(folder, 90, { CUDA_VISIBLE_DEVICES: "3,4" })) ?? "", /^5 of the GPU's 100 MiB/);
});

test("where the driver's program is not installed, whoever computes finds out", async (t) => {
  assert.equal(await gpuFault({ freePercent: 90, environment: { PATH: temporaryDirectory(t) } }), undefined);
});
