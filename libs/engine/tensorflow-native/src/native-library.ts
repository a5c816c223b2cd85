/**
 * Libraries of our own that stand on TensorFlow's, built from C++ in this checkout. Their file names end in a digest of the sources
 * and flags, so that changed sources are another library and an old one is never loaded by mistake:
 *
 *     .native/tensorflow-2.21.0-cpu/tensor-graph-3f2a9c04d1be.so
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FailedPrecondition } from "@pretrain/errors";
import { compile } from "./compile.ts";
import { chosenInstallation } from "./wheel.ts";

export interface NativeLibrary {
  readonly name: string;
  /** Absolute path of the folder with its sources: every `.cc` is compiled, every `.h` can be included. */
  readonly folder: string;
  /** Of the compiler, besides those that every library has: position-independent, C++17. */
  readonly flags: readonly string[];
  /** Absolute paths of further folders with headers. */
  readonly includes: readonly string[];
}

/**
 * Builds the library unless it is there. TensorFlow must be set up before.
 *
 * @param started is called if there is something to build
 * @throws FailedPrecondition with g++'s complaint
 */
export async function ensureNativeLibrary(library: NativeLibrary, started: () => void = () => {}): Promise<void> {
  const { folder, file } = place(library);
  if (existsSync(join(folder, file))) return;
  started();
  const sources = sourceFiles(library).filter((name) => name.endsWith(".cc"));
  const compilation = { ...library, sources: sources.map((name) => join(library.folder, name)) };
  await compile(compilation, folder, file);
}

/** Where the library lies. @throws FailedPrecondition when it is not built */
export function nativeLibraryPath(library: NativeLibrary): string {
  const { folder, file } = place(library);
  const path = join(folder, file);
  if (existsSync(path)) return path;
  throw new FailedPrecondition("NOT_BUILT", `${library.name} is not built here; run \`npm run setup\` first`);
}

function place(library: NativeLibrary): { readonly folder: string; readonly file: string } {
  const digest = createHash("sha256").update(library.flags.join(" "));
  for (const name of sourceFiles(library))
    digest.update(`\n${name}\n`).update(readFileSync(join(library.folder, name)));
  return { folder: chosenInstallation().folder, file: `${library.name}-${digest.digest("hex").slice(0, 12)}.so` };
}

function sourceFiles({ folder }: NativeLibrary): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort();
}
