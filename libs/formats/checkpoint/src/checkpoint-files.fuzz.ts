import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { parseCheckpointName, parseManifestKey, parsePartKey, partKey } from "./checkpoint-keys.ts";
import { decodeManifest, encodeManifest, partNames } from "./manifest.ts";
import { type CheckpointState, decodeState, encodeState } from "./state.ts";

const id = { experiment: "1-4-0", microStep: 8, attempt: 1 };
const sha256 = "0123456789abcdef".repeat(4);
const facts = { optimizerStep: 1, epoch: 1, tokensSeen: 99, attemptNonce: "n", recipeSha256: sha256, dataset: "book" };
const state: CheckpointState = {
  ...id,
  ...facts,
  cursor: { epoch: 1, row: 16 },
  seed: 42,
  datasetSha256: sha256,
  exactness: { threads: "2", cpu: "avx2" },
};

export default {
  seeds: () => [
    encodeManifest({
      ...id,
      ...facts,
      final: false,
      createTime: "2025-07-30T15:30:00.000Z",
      writeSeconds: 0.5,
      parts: partNames.map((name) => ({ name, blob: partKey(id, name, sha256), sizeBytes: 7, sha256 })),
    }),
    encodeState(state),
    new TextEncoder().encode("experiments/1-4-0/checkpoints/8/1.manifest.json"),
  ],
  dictionary: [
    "formatVersion",
    "microStep",
    "parts",
    "blob",
    "sha256",
    "cursor",
    "exactness",
    "/checkpoints/",
    "removals",
  ],
  take(bytes) {
    const text = new TextDecoder().decode(bytes);
    parseManifestKey(text);
    parsePartKey(text);
    const read = [
      () => readsBack(decodeManifest(bytes, id), encodeManifest, (written) => decodeManifest(written, id)),
      () => readsBack(decodeState(bytes, "a"), encodeState, (written) => decodeState(written, "b")),
      () => parseCheckpointName(text),
    ];
    takenByOne(read);
  },
} satisfies FuzzTarget;

/** Compared as what is written: -0 is 0 there. */
function readsBack<T>(value: T, encode: (value: T) => Uint8Array, decode: (bytes: Uint8Array) => T): void {
  assert.deepEqual(encode(decode(encode(value))), encode(value));
}

/** @throws what is no refusal; the first refusal when nobody takes it */
function takenByOne(readers: readonly (() => unknown)[]): void {
  let refusal: Error | undefined;
  for (const read of readers) {
    try {
      read();
      return;
    } catch (error) {
      if (!(error instanceof Error && "status" in error)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}
