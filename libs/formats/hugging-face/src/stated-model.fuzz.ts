import assert from "node:assert/strict";
import type { BlobStore } from "@pretrain/blobs";
import type { FuzzTarget } from "@pretrain/testing";
import { llamaConfig } from "./llama-config.ts";
import type { LlamaShape } from "./llama-mapping.ts";
import { statedShape } from "./stated-model.ts";
import { readJson, weightsFolder } from "./weights-folder.ts";

const shape: LlamaShape = {
  vocabularySize: 6400,
  dim: 512,
  layers: 8,
  heads: 32,
  keyValueHeads: 8,
  headDim: 16,
  hiddenDim: 1408,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 512,
};
const early = { dim: 512, n_layers: 8, n_heads: 32, n_kv_heads: 8, vocab_size: 6400, multiple_of: 64 };
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** `config.json`, the list of shards and the list of an export, each as the same bytes. */
export default {
  seeds: () => [
    json(llamaConfig(shape, { bos: 1, eos: 2, pad: 0 })),
    json({ ...early, norm_eps: 1e-5, rope_theta: 1e6, max_seq_len: 512 }),
    json({ metadata: {}, weight_map: { "model.norm.weight": "model-00001.safetensors" } }),
    json({ export: { files: [{ name: "model.safetensors", blob: "exports/a/0123.bin" }] } }),
  ],
  dictionary: ["rope_scaling", "rope_parameters", "head_dim", "hidden_dim", "use_moe", "weight_map", "files", "blob"],
  async take(bytes) {
    const config = await readJson(storeOf("imports/m", "config.json", bytes), fileOf("imports/m/config.json", bytes));
    const refusals = [
      await refusalOf(() => assertWhole(statedShape(config, "config.json"))),
      await refusalOf(() => weightsFolder(storeOf("imports/m", "model.safetensors.index.json", bytes), "imports/m")),
      await refusalOf(() => weightsFolder(storeOf("exports/a", "export.json", bytes), "exports/a")),
    ];
    if (refusals.every((refusal) => refusal !== undefined)) throw refusals[0];
  },
} satisfies FuzzTarget;

function assertWhole(read: LlamaShape): void {
  const { normEps, ropeTheta, vocabularySize, dim, layers, heads, keyValueHeads, headDim, hiddenDim } = read;
  for (const size of [vocabularySize, dim, layers, heads, keyValueHeads, headDim, hiddenDim, read.maxSequenceLength])
    assert.ok(Number.isInteger(size) && size > 0, JSON.stringify(read));
  assert.ok(normEps > 0 && ropeTheta > 0);
}

function fileOf(key: string, bytes: Uint8Array) {
  return { key, name: key, sizeBytes: bytes.length };
}

function storeOf(folder: string, name: string, bytes: Uint8Array): BlobStore {
  const files = [`${folder}/${name}`, `${folder}/model-00001.safetensors`, `${folder}/0123.bin`];
  const reader: Pick<BlobStore, "read" | "list"> = {
    read: async () => bytes,
    async *list() {
      for (const key of files) yield { key, sizeBytes: bytes.length };
    },
  };
  return reader as BlobStore;
}

/** @throws what is no refusal */
async function refusalOf(read: () => unknown): Promise<Error | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    if (error instanceof Error && "status" in error) return error;
    throw error;
  }
}
