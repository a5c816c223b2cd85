/** TensorFlow in an image: its libraries, ours that stand on them for every kind of processor, and NVIDIA's where a GPU computes. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { FailedPrecondition } from "@pretrain/errors";
import { fusedKernelsLibraries } from "@pretrain/fused-kernels/build";
import { tensorGraphLibrary } from "@pretrain/tensor-graph/build";
import { bindingFile, bindingLink, chosenInstallation, ensureTensorFlow } from "@pretrain/tensorflow-native/build";
import { ensureNativeLibrary, nativeLibraryPath } from "@pretrain/tensorflow-native/native-library";
import { unpackWheel, type Wheel } from "@pretrain/wheels";
import { cudaWheels } from "./cuda-wheels.ts";
import type { Engine } from "./roles.ts";
import type { Entry } from "./root-file-system.ts";

/** What is fetched for an engine, each with the hash that it must have. */
export function wheelsOf(engine: Engine): readonly Wheel[] {
  if (engine === "none") return [];
  const { wheel } = chosenInstallation({ PRETRAIN_TENSORFLOW: engine });
  return engine === "gpu" ? [wheel, ...cudaWheels] : [wheel];
}

const ourLibraries = [tensorGraphLibrary, ...Object.values(fusedKernelsLibraries)];

/**
 * Builds and fetches what is missing of an engine in this checkout.
 *
 * @throws FailedPrecondition when this process was started for the other engine; what the set-up's parts throw
 */
export async function ensureEngine(engine: Engine): Promise<void> {
  if (engine === "none") return;
  const chosen = process.env["PRETRAIN_TENSORFLOW"] ?? "cpu";
  if (chosen !== engine) {
    const message = `PRETRAIN_TENSORFLOW is "${chosen}" and this image computes on ${engine}; set it to ${engine} and run the set-up again`;
    throw new FailedPrecondition("OTHER_ENGINE", message);
  }
  await ensureTensorFlow();
  for (const library of ourLibraries) await ensureNativeLibrary(library);
  if (engine === "gpu") await ensureCuda();
}

async function ensureCuda(): Promise<void> {
  for (const wheel of cudaWheels) {
    const destination = unpacked(wheel.requirement);
    if (!existsSync(destination)) await unpackWheel({ ...wheel, destination });
  }
}

/** Beside the installations of TensorFlow, which looks for the libraries in `../nvidia/<name>/lib`. */
function unpacked(requirement: string): string {
  return join(dirname(chosenInstallation({}).folder), requirement);
}

/**
 * By path below the checkout.
 *
 * @throws FailedPrecondition for what is not built
 */
export function engineFiles(checkout: string, engine: Engine): Map<string, Entry> {
  const result = new Map<string, Entry>();
  if (engine === "none") return result;
  const { folder } = chosenInstallation({ PRETRAIN_TENSORFLOW: engine });
  const theirs = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2", bindingFile].map((name) =>
    join(folder, name),
  );
  for (const source of [...theirs, ...ourLibraries.map(nativeLibraryPath)])
    result.set(relative(checkout, source), { kind: "file", source, mode: 0o755 });
  const target = relative(dirname(bindingLink), join(folder, bindingFile));
  result.set(relative(checkout, bindingLink), { kind: "link", target });
  if (engine === "gpu") for (const [path, entry] of cudaFiles(checkout)) result.set(path, entry);
  return result;
}

function cudaFiles(checkout: string): [string, Entry][] {
  return cudaWheels.flatMap(({ requirement }) => {
    const folder = unpacked(requirement);
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry): [string, Entry] => {
        const source = join(entry.parentPath, entry.name);
        const path = relative(checkout, join(dirname(folder), relative(folder, source)));
        return [path, { kind: "file", source, mode: 0o755 }];
      });
  });
}
