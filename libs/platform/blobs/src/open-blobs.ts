/** From an address in the configuration to a store. */
import { fileURLToPath } from "node:url";
import { InvalidArgument } from "@pretrain/errors";
import type { BlobStore } from "./blob-store.ts";
import { FileBlobs } from "./file-blobs.ts";
import { S3Blobs } from "./s3-blobs.ts";
import { s3Settings } from "./s3-settings.ts";

export interface OpenOptions {
  /** Where a store at `s3://` finds endpoint, region and credentials; this process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How long one request to a store at `s3://` is repeated before it is Unavailable; a minute by default. */
  readonly patienceMs?: number;
}

/**
 * Opens the store at `file:///absolute/folder`, whose folder is made by the first write, or at `s3://bucket/prefix`, in a
 * bucket that is there. Nothing is touched or asked before it is used.
 *
 * @throws InvalidArgument for any other address, and when the environment does not say how to reach an S3 store
 */
export function openBlobs(address: string, { environment = process.env, patienceMs }: OpenOptions = {}): BlobStore {
  if (address.startsWith("s3://")) return new S3Blobs(s3Settings(address, environment), patienceMs);
  return new FileBlobs(folderOf(address));
}

function folderOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // An encoded slash or NUL would be a path that differs from what the address shows.
  const isPlain = url?.host === "" && url.search === "" && url.hash === "" && !/%(2f|00)/i.test(url.pathname);
  if (url?.protocol !== "file:" || !isPlain) {
    const expected = "file:///absolute/folder or s3://bucket/prefix is expected";
    const description = `"${address}" is not the address of a store: ${expected}`;
    throw new InvalidArgument([{ field: "blobs", description }]);
  }
  return fileURLToPath(url);
}
