/**
 * A folder that is complete or absent, whatever happens while it is being filled. It grows under a temporary name beside its
 * own, is written through to the disk, and gets its name last:
 *
 *     .native/.tensorflow-cpu-2.21.0.4711.building   →   .native/tensorflow-cpu-2.21.0
 *
 * The number is the process that builds; a later run removes what a process that is gone left behind.
 */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

/**
 * Calls `fill` with an empty folder and then gives that folder the name `destination`, unless another process was faster:
 * then that one's folder stays and this one is thrown away. If `fill` throws, nothing remains.
 */
export async function completeFolder(destination: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const parent = dirname(destination);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(destination);
  const building = join(parent, `.${basename(destination)}.${process.pid}.building`);
  try {
    await mkdir(building);
    await fill(building);
    await syncTree(building);
    await nameUnlessTaken(building, destination);
    await sync(parent);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function nameUnlessTaken(building: string, destination: string): Promise<void> {
  try {
    await rename(building, destination);
  } catch (error) {
    if (!hasErrorCode(error, "ENOTEMPTY") && !hasErrorCode(error, "EEXIST")) throw error;
  }
}

async function removeAbandoned(destination: string): Promise<void> {
  const prefix = `.${basename(destination)}.`;
  for (const name of await readdir(dirname(destination))) {
    if (!name.startsWith(prefix) || !name.endsWith(".building")) continue;
    const pid = Number(name.slice(prefix.length, -".building".length));
    if (!isAlive(pid)) await rm(join(dirname(destination), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false; // the number came round again: this process has only begun
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, "EPERM"); // somebody else's process; any other answer means that there is none
  }
}

/** Without this a power cut just after the rename can leave a complete-looking folder of empty files. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}
