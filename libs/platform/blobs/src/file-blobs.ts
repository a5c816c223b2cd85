/**
 * Blobs as files in a folder, one file per key. Order of every write: a file under a temporary name, its fsync, the rename
 * (or link, where only one may win), the fsync of the folder. What a crash leaves at each point:
 *
 *     write   fsync   rename   fsync of the folder
 *       └───────┴────────┤             the old blob (or none) and a temporary file, removed later
 *                        └───────────  the old blob or the new one, each whole
 */
import { constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";
import type { BlobStore, ByteRange, ListedBlob, StoredBlob } from "./blob-store.ts";
import { DurableDirectories, syncDirectory } from "./durable-directories.ts";
import {
  createIncomplete,
  discard,
  finish,
  type IncompleteFile,
  incompleteFolder,
  sweepAbandoned,
} from "./incomplete-files.ts";
import { segmentsOf } from "./keys.ts";
import { listFiles } from "./list-files.ts";
import { readBytes } from "./read-bytes.ts";
import { readError, storeError } from "./store-errors.ts";

const streamChunkBytes = 2 ** 20;

export class FileBlobs implements BlobStore {
  readonly #root: string;
  readonly #directories: DurableDirectories;
  #isSwept = false;

  constructor(root: string) {
    this.#root = root;
    this.#directories = new DurableDirectories(root);
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    const path = this.#pathOf(key);
    try {
      const { path: temporary, ...written } = await finish(await this.#begin(), content);
      await this.#name(temporary, key, rename);
      return { key, ...written };
    } catch (error) {
      throw storeError(path, error);
    }
  }

  async create(key: string, content: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(key);
    try {
      const written = await finish(await this.#begin(), content);
      await this.#name(written.path, key, link);
      return true;
    } catch (error) {
      if (hasErrorCode(error, "EEXIST")) return false;
      throw storeError(path, error);
    }
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array> {
    await using handle = await this.#open(key);
    const sizeBytes = (await handle.stat()).size;
    return await readBytes(handle, key, range ?? { offset: 0, length: sizeBytes }, sizeBytes);
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    await using handle = await this.#open(key);
    const sizeBytes = (await handle.stat()).size;
    for (let offset = 0; offset < sizeBytes; offset += streamChunkBytes) {
      const length = Math.min(streamChunkBytes, sizeBytes - offset);
      yield await readBytes(handle, key, { offset, length }, sizeBytes);
    }
  }

  async stat(key: string): Promise<{ readonly sizeBytes: number } | undefined> {
    const path = this.#pathOf(key);
    try {
      const stats = await lstat(path);
      return stats.isFile() ? { sizeBytes: stats.size } : undefined;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
      throw storeError(path, error);
    }
  }

  list(prefix: string): AsyncIterable<ListedBlob> {
    return listFiles(this.#root, prefix);
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    try {
      await unlink(path);
      await syncDirectory(dirname(path));
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR")) throw storeError(path, error);
    }
  }

  #pathOf(key: string): string {
    return join(this.#root, ...segmentsOf(key));
  }

  /** A new temporary file; before the first one, what crashed writers left is removed. */
  #begin(): Promise<IncompleteFile> {
    return this.#inFolder([incompleteFolder], async (folder) => {
      if (!this.#isSwept) await sweepAbandoned(folder, Date.now());
      this.#isSwept = true;
      return await createIncomplete(folder);
    });
  }

  /** Gives a finished file its key by `rename` or `link`, and makes that durable. */
  async #name(temporary: string, key: string, give: (from: string, to: string) => Promise<void>): Promise<void> {
    const path = this.#pathOf(key);
    try {
      await this.#inFolder(segmentsOf(key).slice(0, -1), () => give(temporary, path));
      await syncDirectory(dirname(path));
    } finally {
      await discard(temporary); // there is one left after `link`, and after an error
    }
  }

  /** Runs `action` in a folder of the store, and once more if a folder that was there is gone: removed by hand. */
  async #inFolder<T>(segments: readonly string[], action: (folder: string) => Promise<T>): Promise<T> {
    try {
      return await action(await this.#directories.ensure(segments));
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
      this.#directories.forget();
      return await action(await this.#directories.ensure(segments));
    }
  }

  async #open(key: string): Promise<FileHandle> {
    const path = this.#pathOf(key);
    try {
      // Links lead outside and pipes wait for a writer: neither is ever written here.
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
    } catch (error) {
      throw readError(key, path, error);
    }
    throw readError(key, path, Object.assign(new Error("not a plain file"), { code: "EISDIR" }));
  }
}
