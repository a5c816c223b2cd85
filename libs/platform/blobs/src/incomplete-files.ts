/**
 * Files on their way to becoming blobs. They lie in one folder of the store whose name no key can have, so a reader never
 * meets one, and what a crash leaves there can be told from everything else.
 */
import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

/** The folder of unfinished files: begins with a dot, which no segment of a key does. */
export const incompleteFolder = ".incomplete";

const namePattern = /^[0-9a-f]{32}\.part$/;
// A living writer touches its file whenever a chunk comes. One that is silent for longer loses the file and its `put`
// fails at the rename, loudly; ten minutes is also the longest that a leftover may stay visible to an operator.
const abandonedAfterMs = 10 * 60_000;

export interface IncompleteFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** A complete and durable file under its temporary name. */
export interface WrittenFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A new, empty, unfinished file in `folder`, not yet open to anybody else. */
export async function createIncomplete(folder: string): Promise<IncompleteFile> {
  const path = join(folder, `${randomBytes(16).toString("hex")}.part`);
  return { path, handle: await open(path, "wx") };
}

/** Writes `content`, fsyncs and closes. On any error the file is removed: a failed fsync is never repeated. */
export async function finish(
  { path, handle }: IncompleteFile,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<WrittenFile> {
  try {
    await using file = handle;
    const written = await writeAll(file, content instanceof Uint8Array ? [content] : content);
    await file.sync();
    return { path, ...written };
  } catch (error) {
    await discard(path);
    throw error;
  }
}

async function writeAll(handle: FileHandle, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      offset += (await handle.write(chunk, offset, chunk.length - offset)).bytesWritten; // a write may take only a part
    }
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** Removes an unfinished file. What cannot be removed now is left to the sweep: the error to report is the one that led here. */
export async function discard(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/**
 * Removes what crashed writers left. Only plain files that bear exactly the name this module gives and that nobody wrote
 * to for ten minutes; everything else in the folder is somebody else's and stays.
 */
export async function sweepAbandoned(folder: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile() || !namePattern.test(entry.name)) continue;
    const path = join(folder, entry.name);
    try {
      const { mtimeMs } = await lstat(path);
      if (nowMs - mtimeMs > abandonedAfterMs) await unlink(path);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error; // finished or swept by another process in this very moment
    }
  }
}
