/** A folder that appears whole or not at all: its files are written beside it, compared with their digests, and renamed at the end. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DataLoss, FailedPrecondition, hasErrorCode } from "@pretrain/errors";

export interface ExpectedFile {
  readonly name: string;
  /** In hex. */
  readonly sha256: string;
}

/**
 * @param content of a file, in pieces
 * @throws FailedPrecondition when there is something at that place already: nothing is ever written over; DataLoss when the pieces of a
 *   file are not what its digest says, or its name leads elsewhere. Nothing is left then
 */
export async function writeFolder(
  folder: string,
  files: readonly ExpectedFile[],
  content: (file: string) => AsyncIterable<Uint8Array>,
): Promise<void> {
  for (const { name } of files) expectPlainName(name);
  await fillFolder(folder, async (partial) => {
    for (const file of files) await writeFile(join(partial, file.name), file, content(file.name));
  });
}

/**
 * @param fill writes files, each of them flushed, into the folder that it is given
 * @throws FailedPrecondition when there is something at that place already; whatever `fill` throws. Nothing is left then
 */
export async function fillFolder<Filled>(folder: string, fill: (partial: string) => Promise<Filled>): Promise<Filled> {
  await expectFree(folder);
  const place = resolve(folder);
  const partial = `${place}.partial-${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    const filled = await fill(partial);
    await flush(partial);
    await rename(partial, place);
    await flush(dirname(place)); // after a power cut the rename could be gone though the files are there
    return filled;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** An empty folder is as good as none. */
export async function expectFree(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return;
    if (!hasErrorCode(error, "ENOTDIR")) throw error;
  }
  const message = `there is something at ${folder} already; name a folder that is not there, or remove that one`;
  throw new FailedPrecondition("FOLDER_TAKEN", message, { folder });
}

/** What a service calls a file must not lead out of the folder. */
function expectPlainName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return;
  throw new DataLoss("FILE_NAME_INVALID", `${JSON.stringify(name.slice(0, 150))} is no name of a file`, {});
}

async function writeFile(
  path: string,
  { name, sha256 }: ExpectedFile,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await using file = await open(path, "wx");
  const hash = createHash("sha256");
  for await (const piece of pieces) {
    hash.update(piece);
    await file.writeFile(piece); // goes on where the piece before it ended
  }
  await file.sync();
  const found = hash.digest("hex");
  if (found === sha256) return;
  const message = `${name} arrived damaged: its SHA-256 is ${found}, ${sha256} was expected; try again`;
  throw new DataLoss("DIGEST_MISMATCH", message, { file: name });
}

async function flush(folder: string): Promise<void> {
  await using opened = await open(folder, "r");
  await opened.sync();
}
