/** A tokenizer of as many entries as the tests' models have. */
import type { BlobStore } from "@pretrain/blobs";
import { loadTokenizer, type Tokenizer, trainTokenizer } from "@pretrain/tokenizer";
import { vocabulary } from "./fake-data-shard.ts";

export async function tinyTokenizer(): Promise<Tokenizer> {
  return loadTokenizer(await tinyTokenizerJson());
}

/** Puts it into the store. @returns key and digest, as a dataset names them */
export async function putTokenizer(blobs: BlobStore): Promise<{ readonly blob: string; readonly sha256: string }> {
  const { key, sha256 } = await blobs.put("tokenizer.json", Buffer.from(await tinyTokenizerJson()));
  return { blob: key, sha256 };
}

function tinyTokenizerJson(): Promise<string> {
  async function* texts() {
    for (let row = 0; row < 60; row += 1) yield `row ${row} of many rows, ${row % 7} times ${row * row} words`;
  }
  return trainTokenizer(texts(), { vocabularySize: vocabulary });
}
