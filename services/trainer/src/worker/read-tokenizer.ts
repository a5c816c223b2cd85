/** The tokenizer of a dataset, if every byte of it is as it was written. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { loadTokenizer, type Tokenizer, TokenizerError } from "@pretrain/tokenizer";

/** @throws DataLoss when it is gone, damaged or cannot be read here */
export async function readTokenizer(
  blobs: BlobStore,
  { blob, sha256 }: { readonly blob: string; readonly sha256: string },
): Promise<Tokenizer> {
  try {
    return loadTokenizer(await verifiedRead(blobs, blob, sha256));
  } catch (cause) {
    if (cause instanceof NotFound) throw new DataLoss("TOKENIZER_GONE", `${blob} is gone`, { blob }, { cause });
    if (!(cause instanceof TokenizerError)) throw cause;
    throw new DataLoss("TOKENIZER_UNREADABLE", `${blob} is no tokenizer that is read here`, { blob }, { cause });
  }
}
