/** What a traced program depends on, as one digest: two traces with the same key give the same program. */
import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadedOperations, tensorflowVersion } from "./native.ts";
import { knownPlacements } from "./precision.ts";
import type { ProgramOptions, TraceCache } from "./trace.ts";

/** @throws the file system's error for a source that is not there */
export function cacheKey(
  label: string,
  { state, feeds, precision, xla }: Required<ProgramOptions>,
  { sources, key = null }: TraceCache,
): string {
  const packages = { tensorflowVersion, ...tfjsVersions() };
  const operations = { loaded: loadedOperations(), placements: knownPlacements() };
  const asked = { label, feeds, variables: state.specs, precision, xla, key };
  const digest = createHash("sha256").update(JSON.stringify({ asked, packages, operations }));
  for (const source of [new URL(".", import.meta.url), ...sources]) digestSource(digest, pathOf(source));
  return digest.digest("hex");
}

/** One digest of files, and of folders with all that is in them but tests, in hex. @throws the file system's error for one that is not there */
export function sourcesSha256(sources: readonly (string | URL)[]): string {
  const digest = createHash("sha256");
  for (const source of sources) digestSource(digest, pathOf(source));
  return digest.digest("hex");
}

const require = createRequire(import.meta.url);

function tfjsVersions(): Readonly<Record<string, string>> {
  const names = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-node-gpu"];
  return Object.fromEntries(names.map((name) => [name, String(require(`${name}/package.json`).version)]));
}

function pathOf(source: string | URL): string {
  return source instanceof URL ? fileURLToPath(source) : source;
}

/** Names relative to the source, so that a checkout elsewhere has the same key. */
function digestSource(digest: Hash, source: string): void {
  const names = statSync(source).isDirectory() ? filesOf(source) : [""];
  for (const name of names) {
    const content = readFileSync(join(source, name));
    digest.update(JSON.stringify([name, content.length])).update(content);
  }
}

/** Folders of installed packages and of built libraries are not even looked into: that took a quarter of a second for each function. */
function filesOf(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => {
      const name = join(below, entry.name);
      if (entry.isDirectory()) return /^(node_modules$|\.)/.test(entry.name) ? [] : filesOf(folder, name);
      return entry.isFile() && !entry.name.endsWith(".test.ts") ? [name] : [];
    })
    .sort();
}
