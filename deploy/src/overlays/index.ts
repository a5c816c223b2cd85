/** The places that `deploy/overlays` describes, and the manifests of each. */
import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InvalidArgument } from "@pretrain/errors";
import { toolPath } from "../tools/index.ts";

const overlaysFolder = fileURLToPath(new URL("../../overlays", import.meta.url));

/** In the order of the alphabet: `gpu-pool`, `ha`, `local`. */
export function overlayNames(): readonly string[] {
  const files = globSync("*/kustomization.yaml", { cwd: overlaysFolder });
  return files.map((file) => dirname(file)).sort();
}

/**
 * @param overlay its name, or the path of a folder: one that stands on ours, for instance
 * @throws InvalidArgument, naming those that there are, where it is neither
 */
export function overlayFolder(overlay: string): string {
  const folder = overlayNames().includes(overlay) ? join(overlaysFolder, overlay) : resolve(overlay);
  if (existsSync(join(folder, "kustomization.yaml"))) return folder;
  const names = overlayNames().join(", ");
  const description = `${overlay} is no overlay: there are ${names}, and folders with a kustomization.yaml of your own`;
  throw new InvalidArgument([{ field: "overlay", description }]);
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
