/** From a path in a request to a file that may be read: one inside the data roots, and nothing else whatever links there are. */
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { isAbsolute, normalize, resolve, sep } from "node:path";
import { hasErrorCode, systemReason, type Violation } from "@pretrain/errors";

/** The real path and size of a file, or what is wrong with it in terms of the request. */
export type FoundSource = { readonly path: string; readonly sizeBytes: number } | { readonly violation: Violation };

/**
 * @param roots absolute folders; a relative path is looked for in each, in their order
 * @param path as the request has it: relative to a root, or absolute inside one
 * @param field of the request, for the violation
 */
export async function findSource(roots: readonly string[], path: string, field: string): Promise<FoundSource> {
  const refused = (description: string) => ({ violation: { field, description: `${path} ${description}` } });
  const candidates = candidatesOf(roots, path);
  if (candidates.length === 0) return refused("is not inside a data root, where files are read from");
  for (const candidate of candidates) {
    try {
      const real = await realpath(candidate);
      if (!(await isInside(roots, real))) return refused("is a link that leads out of the data roots");
      const stats = await stat(real);
      if (stats.isDirectory()) return refused("is a directory, a file is needed");
      if (!stats.isFile()) return refused("is no plain file");
      if (stats.size === 0) return refused("is empty");
      await access(real, constants.R_OK);
      return { path: real, sizeBytes: stats.size };
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) return refused(systemReason(error));
    }
  }
  return refused("does not exist in a data root");
}

/** Where the file may be. A path that climbs out of the roots is nowhere, and is not even looked at. */
function candidatesOf(roots: readonly string[], path: string): string[] {
  if (path.includes("\0")) return [];
  const candidates = isAbsolute(path) ? [normalize(path)] : roots.map((root) => resolve(root, path));
  return candidates.filter((candidate) => roots.some((root) => candidate.startsWith(withSeparator(resolve(root)))));
}

async function isInside(roots: readonly string[], real: string): Promise<boolean> {
  for (const root of roots) {
    const realRoot = await realpath(root).catch(() => undefined); // a root that is not there holds no file
    if (realRoot !== undefined && real.startsWith(withSeparator(realRoot))) return true;
  }
  return false;
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
