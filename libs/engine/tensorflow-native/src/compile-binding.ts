/** The two C++ files of the npm package as the addon that the package looks for. */
import { join } from "node:path";
import { compile } from "./compile.ts";
import { bindingFile, tfjsPackage } from "./wheel.ts";

/** Builds the binding in `folder`, which holds TensorFlow's libraries and headers. */
export async function compileBinding(folder: string): Promise<void> {
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(tfjsPackage, "binding", name));
  const flags = ["-O2", "-w", "-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=tfjs_binding", "-DBUILDING_NODE_EXTENSION"];
  await compile({ sources, includes: [tfjsPackage], flags }, folder, bindingFile);
}
