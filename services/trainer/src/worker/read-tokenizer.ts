/** The tokenizer of a dataset, if every byte of it is as it was written. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { DataLoss } from "@pretrain/errors";
import { loadTokenizer, type Tokenizer, TokenizerError } from "@pretrain/tokenizer";

/** @throws DataLoss when it is damaged or cannot be read here */
export async function readTokenizer(
  blobs: BlobStore,
  { blob, sha256 }: { readonly blob: string; readonly sha256: string },
): Promise<Tokenizer> {
  const json = await verifiedRead(blobs, blob, sha256);
  try {
    return loadTokenizer(json);
  } catch (cause) {
    if (!(cause instanceof TokenizerError)) throw cause;
    throw new DataLoss("TOKENIZER_UNREADABLE", `${blob} is no tokenizer that is read here`, { blob }, { cause });
  }
}
