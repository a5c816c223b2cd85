/** From an address in the configuration to a store. */
import { fileURLToPath } from "node:url";
import { InvalidArgument } from "@pretrain/errors";
import type { BlobStore } from "./blob-store.ts";
import { FileBlobs } from "./file-blobs.ts";

/**
 * Opens the store at `file:///absolute/folder`. The folder is made by the first write; nothing is touched before.
 * @throws InvalidArgument for any other address
 */
export function openBlobs(address: string): BlobStore {
  return new FileBlobs(folderOf(address));
}

function folderOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // An encoded slash or NUL would be a path that differs from what the address shows.
  const isPlain = url?.host === "" && url.search === "" && url.hash === "" && !/%(2f|00)/i.test(url.pathname);
  if (url?.protocol !== "file:" || !isPlain) {
    throw new InvalidArgument([
      {
        field: "blobs",
        description: `"${address}" is not the address of a store: file:///absolute/folder is expected`,
      },
    ]);
  }
  return fileURLToPath(url);
}
