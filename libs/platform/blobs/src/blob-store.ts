/**
 * What every store of blobs promises, whatever is below it. There is no rename and no append, because an object store has
 * neither: a blob appears whole under its final key, or not at all.
 */

/** What was written, as counted and hashed on its way to the disk. */
export interface StoredBlob {
  readonly key: string;
  readonly sizeBytes: number;
  /** SHA-256 of the content, in lower-case hex. */
  readonly sha256: string;
}

export interface ListedBlob {
  readonly key: string;
  readonly sizeBytes: number;
}

/** `length` bytes from `offset` on, both in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * A key is `segment/segment/…`: each segment of letters, digits, `.`, `_`, `-`, not beginning with a dot. Every method
 * throws InvalidArgument for another key, ResourceExhausted when the disk is full, FailedPrecondition when the store may
 * not be read or written, Unavailable when the device fails or the store has not answered for a minute.
 */
export interface BlobStore {
  /** Writes the blob, replacing an older one of the same key at once. When it returns, a power cut cannot undo it. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredBlob>;
  /**
   * Writes the blob only if the key is free, whoever else tries at the same moment: exactly one caller gets `true`.
   * After an error it is unknown who has the key; `read` tells.
   */
  create(key: string, content: Uint8Array): Promise<boolean>;
  /**
   * The whole blob, or exactly one range of it.
   * @throws NotFound; OutOfRange when the range does not lie inside the blob; ResourceExhausted above 2 GiB in one read;
   *   Aborted when the blob was replaced in the middle of it
   */
  read(key: string, range?: ByteRange): Promise<Uint8Array>;
  /** The blob in pieces of at most 1 MiB, read no faster than they are taken. @throws NotFound at the first piece; Aborted */
  stream(key: string): AsyncIterable<Uint8Array>;
  /** Undefined when there is no such blob. */
  stat(key: string): Promise<{ readonly sizeBytes: number } | undefined>;
  /**
   * All blobs whose key begins with `prefix` (a plain string prefix; "" is all), each once, in an order of the store's own.
   * One that is written or deleted meanwhile may be among them or not; every other one is.
   */
  list(prefix: string): AsyncIterable<ListedBlob>;
  /** Removes the blob; without effect when there is none. */
  delete(key: string): Promise<void>;
}
