/** Which TensorFlow this machine runs, and where it lies after the set-up. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InvalidArgument } from "@pretrain/errors";
import type { Wheel } from "@pretrain/wheels";

export const tensorflowVersion = "2.21.0";

/** Sizes: the wheel twice while pip copies it, the two libraries, the headers, and a tenth more. */
const wheels = {
  cpu: {
    requirement: `tensorflow-cpu==${tensorflowVersion}`,
    sha256: "dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb",
    platform: "manylinux_2_27_x86_64",
    neededBytes: 1.6e9,
  },
  gpu: {
    requirement: `tensorflow==${tensorflowVersion}`,
    sha256: "b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0",
    platform: "manylinux_2_27_x86_64",
    neededBytes: 2.7e9,
  },
} as const satisfies Record<string, Wheel>;

export interface Installation {
  readonly wheel: Wheel;
  /** Complete if it is there: the two libraries, the headers of their C API, and the binding. */
  readonly folder: string;
}

/** @throws InvalidArgument if PRETRAIN_TENSORFLOW is neither `cpu` (the default) nor `gpu`. */
export function chosenInstallation(environment: NodeJS.ProcessEnv = process.env): Installation {
  const choice = environment["PRETRAIN_TENSORFLOW"] ?? "cpu";
  if (choice !== "cpu" && choice !== "gpu") {
    throw new InvalidArgument([{ field: "PRETRAIN_TENSORFLOW", description: `must be cpu or gpu, is "${choice}"` }]);
  }
  const folder = fileURLToPath(new URL(`../.native/tensorflow-${tensorflowVersion}-${choice}`, import.meta.url));
  return { wheel: wheels[choice], folder };
}

/** The folder of the npm package whose C++ sources are compiled and which looks for the binding at `bindingLink`. */
export const tfjsPackage = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json"));
export const bindingLink = join(tfjsPackage, "lib", "napi-v8", "tfjs_binding.node");

/** Where the binding lies inside an installation's folder. */
export const bindingFile = "tfjs_binding.node";
