/** The places that `deploy/overlays` describes, and the manifests of each. */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toolPath } from "../tools/index.ts";

const overlaysFolder = fileURLToPath(new URL("../../overlays", import.meta.url));

/** In the order of the alphabet: `gpu-pool`, `ha`, `local`. */
export function overlayNames(): readonly string[] {
  const files = globSync("*/kustomization.yaml", { cwd: overlaysFolder });
  return files.map((file) => dirname(file)).sort();
}

/**
 * The manifests of an overlay, as one YAML stream.
 *
 * @throws FailedPrecondition without kustomize; what kustomize says when it cannot build the overlay
 */
export async function renderedOverlay(name: string): Promise<string> {
  const build = ["build", join(overlaysFolder, name)];
  const { stdout } = await promisify(execFile)(toolPath("kustomize"), build, { maxBuffer: 64e6 });
  return stdout;
}
