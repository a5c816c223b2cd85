import assert from "node:assert/strict";
import { join, normalize } from "node:path";
import type { FuzzTarget } from "@pretrain/testing";
import { isKey, segmentsOf, splitPrefix } from "./keys.ts";

export default {
  seeds: () =>
    ["datasets/book/manifest.json", "experiments/1-4-0/checkpoints/8/", "a"].map((key) =>
      new TextEncoder().encode(key),
    ),
  dictionary: ["..", "/", "./", "//", "%2e%2e", "%2f", "\\", "CON", "~"],
  take(bytes) {
    const key = new TextDecoder().decode(bytes);
    if (isKey(key)) assert.equal(normalize(join("/store", key)), `/store/${key}`);
    splitPrefix(key);
    assert.equal(segmentsOf(key).join("/"), key);
  },
} satisfies FuzzTarget;
