/**
 * The set-up of native TensorFlow: the libraries out of the Python wheel, the binding compiled from the sources inside the npm
 * package against the wheel's own headers. No node-gyp, no headers package, no download but the wheel's.
 */
import { existsSync } from "node:fs";
import { mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { completeFolder, unpackWheel } from "@pretrain/wheels";
import { expectCompiler } from "./compile.ts";
import { compileBinding } from "./compile-binding.ts";
import { bindingFile, bindingLink, chosenInstallation, type Installation } from "./wheel.ts";

export { bindingFile, bindingLink, chosenInstallation, type Installation } from "./wheel.ts";

/**
 * Builds what PRETRAIN_TENSORFLOW asks for unless it is there, and makes the npm package use it. The link is looked at every
 * time: a new install of the packages removes it, and the variable may name the other wheel than last time.
 *
 * @param started is called if there is something to build
 * @throws FailedPrecondition, ResourceExhausted, DataLoss or Unavailable, each in one sentence that says what to do
 */
export async function ensureTensorFlow(started: () => void = () => {}): Promise<void> {
  const installation = chosenInstallation();
  if (!existsSync(installation.folder)) {
    started();
    await build(installation);
  }
  await linkBinding(join(installation.folder, bindingFile));
}

async function build({ wheel, folder }: Installation): Promise<void> {
  await expectCompiler(); // before the download, not after it
  await completeFolder(folder, async (building) => {
    const unpacked = join(building, "wheel");
    await unpackWheel({
      ...wheel,
      destination: unpacked,
      select: [...libraries.map((name) => `tensorflow/${name}`), ...headers],
    });
    for (const name of [...libraries, "include"])
      await rename(join(unpacked, "tensorflow", name), join(building, name));
    await rm(unpacked, { recursive: true });
    await compileBinding(building);
  });
}

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
/** The C API and what its headers include: 1 of the wheel's 270 MB of headers. */
const headers = [
  "tensorflow/c/*.h",
  "tensorflow/core/platform/ctstring*.h",
  "tensorflow/core/common_runtime/next_pluggable_device/c/*.h",
  "tsl/platform/*.h",
  "xla/tsl/c/*.h",
].map((pattern) => `tensorflow/include/${pattern}`);

/** Replaced by a rename: another process that starts meanwhile finds the old link or the new one. */
async function linkBinding(target: string): Promise<void> {
  const current = await readlink(bindingLink).catch(() => undefined); // absent, or a file that is no link
  if (current === target) return;
  await mkdir(dirname(bindingLink), { recursive: true });
  const temporary = `${bindingLink}.${process.pid}`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, bindingLink);
}
