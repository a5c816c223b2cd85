/** A disk of a few megabytes below the system's state, and the file that fills it. */
import { spawnSync } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

const pieceBytes = 64 * 1024;

/** Mounts a small file system at `folder`. @returns false where this process may not mount */
export function mountSmallDisk(folder: string, megabytes: number): boolean {
  return spawnSync("/bin/mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "pretrain-chaos", folder]).status === 0;
}

export function unmount(folder: string): void {
  spawnSync("/bin/umount", ["--lazy", folder]);
}

/** Writes until nothing fits any more. Disposing removes what was written. */
export async function fillDisk(folder: string): Promise<AsyncDisposable & { readonly isFull: boolean }> {
  const path = join(folder, "ballast");
  const isFull = await fill(path);
  return { isFull, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function fill(path: string): Promise<boolean> {
  await using file = await open(path, "w");
  try {
    for (const piece = Buffer.alloc(pieceBytes, 1); ; ) await file.write(piece);
  } catch (error) {
    if (hasErrorCode(error, "ENOSPC")) return true;
    throw error;
  }
}
