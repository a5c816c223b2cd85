/**
 * A GGUF file as llama.cpp's `llama` reads it, written from its definition and not from what writes it here. Source: llama.cpp,
 * docs/gguf.md and the tensor names of gguf-py.
 */
import { decodeGguf } from "@pretrain/gguf";
import type { PlainLlama } from "@pretrain/plain-llama";

export async function readGguf(read: (file: string) => Promise<Uint8Array>): Promise<PlainLlama> {
  const { values, tensors } = decodeGguf(await read("model.gguf"), "model.gguf");
  const number = (key: string) => {
    const value = values.get(key)?.value;
    if (typeof value === "number") return value;
    throw new Error(`model.gguf has no number ${key}`);
  };
  const tensor = (name: string) => {
    const data = tensors.get(`${name}.weight`)?.data;
    if (data !== undefined) return data;
    throw new Error(`model.gguf has no tensor ${name}.weight`);
  };
  return {
    dim: number("llama.embedding_length"),
    heads: number("llama.attention.head_count"),
    keyValueHeads: number("llama.attention.head_count_kv"),
    headDim: number("llama.attention.key_length"),
    normEps: number("llama.attention.layer_norm_rms_epsilon"),
    ropeTheta: number("llama.rope.freq_base"),
    rotaryPairs: "neighbours",
    embedding: tensor("token_embd"),
    layers: Array.from({ length: number("llama.block_count") }, (_, index) => {
      const of = (name: string) => tensor(`blk.${index}.${name}`);
      return {
        attentionNorm: of("attn_norm"),
        query: of("attn_q"),
        key: of("attn_k"),
        value: of("attn_v"),
        output: of("attn_output"),
        feedForwardNorm: of("ffn_norm"),
        gate: of("ffn_gate"),
        up: of("ffn_up"),
        down: of("ffn_down"),
      };
    }),
    norm: tensor("output_norm"),
  };
}
