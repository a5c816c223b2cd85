/** A blob store's folder as one file: gzip of a line of JSON for each blob, its key and its bytes in base64, in the order of the keys. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

export async function packedBlobs(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  for (const path of paths.sort()) {
    const [key, base64] = [relative(folder, path), await readFile(path, "base64")];
    lines.push(`${JSON.stringify({ key, base64 })}\n`);
  }
  return gzipSync(lines.join(""), { level: 9 });
}

/** @param folder made if it is not there */
export async function unpackBlobs(packed: Uint8Array, folder: string): Promise<void> {
  for (const line of gunzipSync(packed).toString().trimEnd().split("\n")) {
    const { key, base64 } = JSON.parse(line) as { readonly key: string; readonly base64: string };
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, base64, "base64");
  }
}
