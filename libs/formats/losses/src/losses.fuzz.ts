import assert from "node:assert/strict";
import type { FuzzTarget } from "@pretrain/testing";
import { decodeLosses, encodeLosses } from "./index.ts";

const origin = {
  datasetSha256: "a".repeat(64),
  tokenizerSha256: "b".repeat(64),
  checkpointSha256: "c".repeat(64),
  context: 512,
  stride: 256,
  markerRule: "both",
};
const rows = [
  { rowId: 3, tokens: Int32Array.of(5, 6), nats: Float32Array.of(1, 2), top1: Uint8Array.of(0, 1) },
  { rowId: 9, tokens: Int32Array.of(7), nats: Float32Array.of(3), top1: Uint8Array.of(1) },
];

export default {
  seeds: () => [new Uint8Array(Buffer.concat([...encodeLosses({ origin, rows })]))],
  dictionary: ["row_ids", "row_offsets", "tokens", "nats", "top1", "context", "stride"],
  take(bytes) {
    const read = decodeLosses(bytes, "losses");
    assert.deepEqual(decodeLosses(Buffer.concat([...encodeLosses(read)]), "again"), read);
  },
} satisfies FuzzTarget;
