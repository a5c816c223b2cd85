/** Writes an image's root file system into a folder, and says what it is as one digest. */

import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, chown, copyFile, lutimes, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailedPrecondition, hasErrorCode } from "@pretrain/errors";
import { type Entry, inOrder, type RootFileSystem } from "./root-file-system.ts";

export interface WrittenRoot {
  readonly files: number;
  readonly sizeBytes: number;
  /** Of every path with its kind, mode and content: two assemblies of the same checkout have the same. */
  readonly sha256: string;
}

/**
 * The folder is made; what is there already must be empty: an assembly that died half-way is removed by whoever started it. Every file's
 * time is 1970, so that archives of it are the same as well.
 *
 * @throws FailedPrecondition if the folder holds something
 */
export async function writeRoot(root: RootFileSystem, folder: string): Promise<WrittenRoot> {
  await expectEmpty(folder);
  const entries = inOrder(root);
  const digest = createHash("sha256");
  let sizeBytes = 0;
  for (const [path, entry] of entries) {
    await write(join(folder, path), entry);
    digest.update(`${JSON.stringify([path, entry.kind, modeOf(entry), await contentOf(entry)])}\n`);
    if (entry.kind === "file") sizeBytes += (await stat(entry.source)).size;
  }
  for (const [path] of entries.toReversed()) await lutimes(join(folder, path), 0, 0); // folders last: writing in one touches it
  return { files: entries.length, sizeBytes, sha256: digest.digest("hex") };
}

async function expectEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length === 0) return;
  throw new FailedPrecondition("FOLDER_NOT_EMPTY", `${folder} holds something already; name a new folder or empty it`);
}

async function write(path: string, entry: Entry): Promise<void> {
  if (entry.kind === "link") return await symlink(entry.target, path);
  if (entry.kind === "folder") await mkdir(path);
  else if (entry.kind === "text") await writeFile(path, entry.text);
  else await copyFile(entry.source, path, constants.COPYFILE_FICLONE);
  await chmod(path, modeOf(entry)); // whatever the umask says
  if (entry.kind === "folder" && entry.owner !== 0) await giveTo(path, entry.owner);
}

/** Only root may; without it the image's build gives the folder away as well. */
async function giveTo(path: string, owner: number): Promise<void> {
  try {
    await chown(path, owner, owner);
  } catch (error) {
    if (!hasErrorCode(error, "EPERM")) throw error;
  }
}

function modeOf(entry: Entry): number {
  if (entry.kind === "link") return 0o777;
  return entry.kind === "text" ? 0o644 : entry.mode;
}

async function contentOf(entry: Entry): Promise<string> {
  if (entry.kind === "link") return entry.target;
  if (entry.kind === "folder") return String(entry.owner);
  const hash = createHash("sha256");
  if (entry.kind === "text") return hash.update(entry.text).digest("hex");
  for await (const piece of createReadStream(entry.source)) hash.update(piece);
  return hash.digest("hex");
}
