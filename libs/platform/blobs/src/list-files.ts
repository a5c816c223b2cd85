/** The files of a folder as a flat, sorted list of keys, the way an object store shows them. */
import { type Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";
import type { ListedBlob } from "./blob-store.ts";
import { isSegment, splitPrefix } from "./keys.ts";
import { storeError } from "./store-errors.ts";

/** Lists lazily, one folder at a time: memory is bounded by the largest folder, not by the store. */
export async function* listFiles(root: string, prefix: string): AsyncGenerator<ListedBlob> {
  const { folders, beginning } = splitPrefix(prefix);
  for (const entry of await sortedEntries(join(root, ...folders))) {
    if (entry.name.startsWith(beginning)) yield* below(root, [...folders, entry.name], entry.isDirectory());
  }
}

async function* below(root: string, segments: readonly string[], isDirectory: boolean): AsyncGenerator<ListedBlob> {
  const path = join(root, ...segments);
  if (!isDirectory) {
    const sizeBytes = await sizeOf(path);
    if (sizeBytes !== undefined) yield { key: segments.join("/"), sizeBytes };
    return;
  }
  for (const entry of await sortedEntries(path)) yield* below(root, [...segments, entry.name], entry.isDirectory());
}

/** Plain files and folders that can be part of a key. A folder sorts as its keys do, with the slash: `a-b` before `a/`. */
async function sortedEntries(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const sortKey = (entry: Dirent) => (entry.isDirectory() ? `${entry.name}/` : entry.name);
    return entries
      .filter((entry) => isSegment(entry.name) && (entry.isFile() || entry.isDirectory()))
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw storeError(folder, error);
  }
}

/** Undefined when the file was deleted since its folder was read. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw storeError(path, error);
  }
}
