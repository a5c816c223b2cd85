/** The addon `tensor_graph`: what the set-up builds and the process that computes loads. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { NativeLibrary } from "@pretrain/tensorflow-native/native-library";

const nodeAddonApi = dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json"));

export const tensorGraphLibrary: NativeLibrary = {
  name: "tensor-graph",
  folder: fileURLToPath(new URL("../native", import.meta.url)),
  flags: ["-O2", "-Wall", "-fexceptions", "-DNAPI_VERSION=8", "-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL"],
  includes: [nodeAddonApi],
};
