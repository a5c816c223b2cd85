/**
 * A Hugging Face folder as transformers' Llama reads it, written from its definition and not from our mapping: what both had wrong in the
 * same way, no comparison would show. Names and order: transformers, models/llama/modeling_llama.py.
 */
import type { PlainLlama } from "@pretrain/plain-llama";
import { decodeSafetensors } from "@pretrain/safetensors";

export async function readHuggingFace(read: (file: string) => Promise<Uint8Array>): Promise<PlainLlama> {
  const config: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await read("config.json")));
  const number = (...path: readonly string[]) => numberAt(config, path);
  const { tensors } = decodeSafetensors(await read("model.safetensors"), "model.safetensors");
  const tensor = (name: string) => {
    const found = tensors.get(`model.${name}.weight`);
    if (found?.dtype === "F32") return found.data;
    throw new Error(`model.safetensors has no float32 tensor model.${name}.weight`);
  };
  return {
    dim: number("hidden_size"),
    heads: number("num_attention_heads"),
    keyValueHeads: number("num_key_value_heads"),
    headDim: number("head_dim"),
    normEps: number("rms_norm_eps"),
    ropeTheta: number("rope_parameters", "rope_theta"),
    rotaryPairs: "halves",
    embedding: tensor("embed_tokens"),
    layers: Array.from({ length: number("num_hidden_layers") }, (_, index) => {
      const of = (name: string) => tensor(`layers.${index}.${name}`);
      return {
        attentionNorm: of("input_layernorm"),
        query: of("self_attn.q_proj"),
        key: of("self_attn.k_proj"),
        value: of("self_attn.v_proj"),
        output: of("self_attn.o_proj"),
        feedForwardNorm: of("post_attention_layernorm"),
        gate: of("mlp.gate_proj"),
        up: of("mlp.up_proj"),
        down: of("mlp.down_proj"),
      };
    }),
    norm: tensor("norm"),
  };
}

function numberAt(value: unknown, path: readonly string[]): number {
  let found = value;
  for (const name of path) {
    found =
      typeof found === "object" && found !== null
        ? new Map<string, unknown>(Object.entries(found)).get(name)
        : undefined;
  }
  if (typeof found === "number") return found;
  throw new Error(`config.json has no number ${path.join(".")}`);
}
