/** Digests of files, remembered as long as a file looks unchanged, so that asking twice for a large one is cheap. */
import { stat } from "node:fs/promises";
import type { SourceDigest } from "../dataset/dataset-identity.ts";
import { digestOfFile } from "./source-file.ts";

const remembered = 1000;

export class FileDigests {
  /** By path, device, inode, size and times: a changed file looks different. Packing compares the content all the same. */
  readonly #digests = new Map<string, Promise<SourceDigest>>();

  /** Calls for the same file wait for one reading of it. @throws FailedPrecondition SOURCE_UNREADABLE */
  async of(file: { readonly path: string; readonly givenPath: string }): Promise<SourceDigest> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file.path, { bigint: true });
    const key = [file.path, dev, ino, size, mtimeNs, ctimeNs].join("\0");
    const known = this.#digests.get(key);
    if (known !== undefined) return await known;
    const digest = digestOfFile(file);
    this.#digests.set(key, digest);
    digest.catch(() => this.#digests.delete(key));
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > remembered && oldest !== undefined) this.#digests.delete(oldest);
    return await digest;
  }
}
