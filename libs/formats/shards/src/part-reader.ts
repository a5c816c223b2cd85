/** Reads parts of one dataset, none before its SHA-256 was compared with the manifest's. */
import { createHash } from "node:crypto";
import { type BlobStore, type ByteRange, verifiedRead } from "@pretrain/blobs";
import { DataLoss, NotFound, OutOfRange } from "@pretrain/errors";
import type { Part } from "./dataset-manifest.ts";
import { RowIndex } from "./row-index.ts";

/** Row indices kept in memory; one of a 16 MiB shard takes about 0.5 MB with rows of 150 tokens. */
const keptIndices = 128;

export class PartReader {
  readonly #blobs: BlobStore;
  readonly #prefix: string;
  /** Parts that were found right, or are being looked at. */
  readonly #verified = new Map<string, Promise<void>>();
  /** The most recently used last. */
  readonly #indices = new Map<string, Promise<RowIndex>>();

  constructor(blobs: BlobStore, prefix: string) {
    this.#blobs = blobs;
    this.#prefix = prefix;
  }

  async readWhole(part: Part): Promise<Uint8Array> {
    return await this.#refusing(part, () => verifiedRead(this.#blobs, this.#prefix + part.name, part.sha256));
  }

  async readRange(part: Part, range: ByteRange): Promise<Uint8Array> {
    await once(this.#verified, part.name, () => this.#verify(part));
    return await this.#refusing(part, () => this.#blobs.read(this.#prefix + part.name, range));
  }

  /** @param rows that the manifest says it has */
  async rowIndex(part: Part, rows: number): Promise<RowIndex> {
    const index = once(this.#indices, part.name, async () => new RowIndex(await this.readWhole(part)));
    this.#indices.delete(part.name);
    this.#indices.set(part.name, index);
    const [oldest] = this.#indices.keys();
    if (this.#indices.size > keptIndices && oldest !== undefined) this.#indices.delete(oldest);
    const read = await index;
    if (read.rows === rows) return read;
    throw damaged(this.#prefix + part.name, `it is the index of ${read.rows} rows, the manifest says ${rows}`);
  }

  async #verify(part: Part): Promise<void> {
    const hash = createHash("sha256");
    await this.#refusing(part, async () => {
      for await (const piece of this.#blobs.stream(this.#prefix + part.name)) hash.update(piece);
    });
    const found = hash.digest("hex");
    if (found !== part.sha256)
      throw damaged(this.#prefix + part.name, `its SHA-256 is ${found}, the manifest says ${part.sha256}`);
  }

  /** A part that the manifest names and that is gone, or shorter, is damage, not an unknown name. */
  async #refusing<T>(part: Part, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof NotFound) && !(error instanceof OutOfRange)) throw error;
      throw damaged(this.#prefix + part.name, `it is not what its manifest describes: ${error.message}`, error);
    }
  }
}

/** The promise of the first call with this key. One that fails is forgotten: the part may have been put back. */
function once<T>(promises: Map<string, Promise<T>>, key: string, start: () => Promise<T>): Promise<T> {
  const known = promises.get(key);
  if (known !== undefined) return known;
  const promise = start();
  promises.set(key, promise);
  promise.catch(() => promises.delete(key));
  return promise;
}

function damaged(part: string, what: string, cause?: unknown): DataLoss {
  return new DataLoss("PART_DAMAGED", `${part}: ${what}; pack the dataset again`, { part }, { cause });
}
