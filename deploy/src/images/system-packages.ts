/** What the system's own package manager says of libraries that an image takes from it. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Entry } from "./root-file-system.ts";

export interface SystemLibrary {
  /** In the image. */
  readonly path: string;
  readonly sha256: string;
  /** Of Debian; undefined where another system, or nobody, knows the file. */
  readonly debian: { readonly name: string; readonly version: string; readonly architecture: string } | undefined;
}

export async function describeLibraries(libraries: ReadonlyMap<string, Entry>): Promise<readonly SystemLibrary[]> {
  const described = [...libraries].map(async ([path, entry]) => {
    if (entry.kind !== "file") throw new TypeError(`${path}: a library is a file`);
    const sha256 = createHash("sha256")
      .update(await readFile(entry.source))
      .digest("hex");
    return { path, sha256, debian: await debianPackage(path) };
  });
  return (await Promise.all(described)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Debian 12 knows most libraries by the path from before `/lib` became a link. */
async function debianPackage(path: string): Promise<SystemLibrary["debian"]> {
  for (const known of [path, path.replace(/^\/usr/, "")]) {
    const owner = (await answer("dpkg-query", ["--search", known]))?.split(/[,\n]/)[0]?.replace(/: .*$/, "");
    if (owner === undefined) continue;
    const line = await answer("dpkg-query", ["--show", "--showformat=${Package} ${Version} ${Architecture}", owner]);
    const [name, version, architecture] = line?.split(" ") ?? [];
    if (name !== undefined && version !== undefined && architecture !== undefined)
      return { name, version, architecture };
  }
  return undefined;
}

async function answer(program: string, parameters: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, parameters, { env: { ...process.env, LC_ALL: "C" } });
    return stdout.trim();
  } catch {
    return undefined; // no such program, or a file that it does not know
  }
}
