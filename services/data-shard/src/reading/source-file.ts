/** The bytes of a source file, hashed on their way, so that what was packed is what was asked for. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { FailedPrecondition, ResourceExhausted, systemReason } from "@pretrain/errors";
import type { SourceDigest } from "../dataset/dataset-identity.ts";

/** A file to be read: its real path, the name that a person gave it, and what it held when the dataset was asked for. */
export interface SourceFile extends SourceDigest {
  readonly path: string;
  /** As in the request: real paths stay out of messages and reports. */
  readonly givenPath: string;
}

const chunkBytes = 2 ** 18;

/**
 * The file in pieces.
 * @throws FailedPrecondition SOURCE_CHANGED after the last piece when the file is not the one that was asked for;
 *   SOURCE_UNREADABLE when it cannot be read (any more)
 */
export async function* sourceChunks(source: SourceFile): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of fileChunks(source)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") === source.sha256) return;
  const message = `${source.givenPath} was changed while it was packed; pack it again`;
  throw new FailedPrecondition("SOURCE_CHANGED", message, { path: source.givenPath });
}

/** SHA-256 and size of the whole file, as read now. @throws FailedPrecondition SOURCE_UNREADABLE */
export async function digestOfFile(file: { readonly path: string; readonly givenPath: string }): Promise<SourceDigest> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of fileChunks(file)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

/** The whole of a small file. @throws FailedPrecondition SOURCE_UNREADABLE; ResourceExhausted when it has grown beyond the limit */
export async function wholeFile(
  file: { readonly path: string; readonly givenPath: string },
  limitBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of fileChunks(file)) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) {
      const message = `${file.givenPath} is larger than ${limitBytes} bytes`;
      throw new ResourceExhausted("SOURCE_TOO_LARGE", message, { path: file.givenPath });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* fileChunks({
  path,
  givenPath,
}: {
  readonly path: string;
  readonly givenPath: string;
}): AsyncGenerator<Uint8Array> {
  try {
    // The path was resolved before: a link or a pipe in its place now was put there since.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await expectStillThere(handle, path);
    for (let chunk = await readChunk(handle); chunk.length > 0; chunk = await readChunk(handle)) yield chunk;
  } catch (error) {
    throw new FailedPrecondition(
      "SOURCE_UNREADABLE",
      `${givenPath} ${systemReason(error)}`,
      { path: givenPath },
      { cause: error },
    );
  }
}

/** A folder above the file can be replaced by a link as well: what was opened must be what lies at the path, link by link. */
async function expectStillThere(handle: FileHandle, path: string): Promise<void> {
  const [opened, named] = [await handle.stat(), await stat(path)];
  const isSame = opened.isFile() && opened.dev === named.dev && opened.ino === named.ino;
  if (!isSame || (await realpath(path)) !== path)
    throw new Error("it was moved, or replaced by a link, while it was looked for");
}

async function readChunk(handle: FileHandle): Promise<Uint8Array> {
  const chunk = new Uint8Array(chunkBytes);
  return chunk.subarray(0, (await handle.read(chunk)).bytesRead);
}
