/** A bundle as a folder: its files come one after the other, piece by piece, and the folder appears when the last one is whole. */
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataLoss, hasErrorCode, ResourceExhausted } from "@pretrain/errors";
import { fillFolder } from "../exported-folder.ts";

export interface BundleFile {
  readonly file: string;
  readonly sizeBytes: number;
  /** In hex. */
  readonly sha256: string;
}

interface Piece {
  readonly file: string;
  readonly content: Uint8Array;
}

/** More files than any bundle has; more bytes than the events of a run of ten million steps. */
const filesLimit = 10_000;
const bytesLimit = 64 * 2 ** 30;

/**
 * @throws FailedPrecondition when there is something at that place already; DataLoss for a name that leads elsewhere, a file that is
 *   there twice, and a bundle without files; ResourceExhausted above 10,000 files or 64 GiB. Nothing is left then
 */
export function writeBundle(folder: string, pieces: AsyncIterable<Piece>): Promise<BundleFile[]> {
  return fillFolder(folder, async (partial) => {
    await using writer = new BundleWriter(partial);
    for await (const { file, content } of pieces) await writer.append(file, content);
    await writer.endFile();
    if (writer.files.length > 0) return writer.files;
    throw new DataLoss("BUNDLE_EMPTY", "the report service sent a bundle without files; ask again", {});
  });
}

class BundleWriter implements AsyncDisposable {
  readonly files: BundleFile[] = [];
  readonly #folder: string;
  #current:
    | { readonly name: string; readonly handle: FileHandle; readonly hash: ReturnType<typeof createHash> }
    | undefined;
  #sizeBytes = 0;
  #totalBytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async append(name: string, content: Uint8Array): Promise<void> {
    if (this.#current?.name !== name) await this.#begin(name);
    this.#totalBytes += content.length;
    if (this.#totalBytes > bytesLimit || this.files.length > filesLimit) throw tooLarge();
    this.#sizeBytes += content.length;
    this.#current?.hash.update(content);
    await this.#current?.handle.writeFile(content); // goes on where the piece before it ended
  }

  async #begin(name: string): Promise<void> {
    await this.endFile();
    expectInside(name);
    const path = join(this.#folder, name);
    await mkdir(dirname(path), { recursive: true });
    this.#current = { name, handle: await newFile(path, name), hash: createHash("sha256") };
  }

  async endFile(): Promise<void> {
    if (this.#current === undefined) return;
    const { name, handle, hash } = this.#current;
    this.#current = undefined;
    await handle.sync();
    await handle.close();
    this.files.push({ file: name, sizeBytes: this.#sizeBytes, sha256: hash.digest("hex") });
    this.#sizeBytes = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.handle.close();
  }
}

async function newFile(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
    throw new DataLoss("FILE_TWICE", `${name} is twice in the bundle; ask again`, { file: name }, { cause: error });
  }
}

/** What a service calls a file must not lead out of the folder. */
function expectInside(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,8}$/.test(name)) return;
  throw new DataLoss("FILE_NAME_INVALID", `${JSON.stringify(name.slice(0, 150))} is no name of a file`, {});
}

function tooLarge(): ResourceExhausted {
  const message = `the bundle has more than ${filesLimit} files or ${bytesLimit / 2 ** 30} GiB; that is no record`;
  return new ResourceExhausted("BUNDLE_TOO_LARGE", message, {});
}
