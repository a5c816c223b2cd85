/** Bytes that outlive a process, by name: checkpoints, shards, tokenizers, claims. Nothing half-written is ever visible. */
export type { BlobStore, ByteRange, ListedBlob, StoredBlob } from "./blob-store.ts";
export { expectWritable } from "./expect-writable.ts";
export { type OpenOptions, openBlobs } from "./open-blobs.ts";
export { blobEnvironment } from "./s3-settings.ts";
export { sha256Hex, verifiedRead } from "./verified-read.ts";
