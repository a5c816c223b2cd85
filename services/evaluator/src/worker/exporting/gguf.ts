/**
 * One file that llama.cpp loads. Its `llama` turns neighbouring pairs, as we do, so that no row changes its place. Keys and names:
 * github.com/ggml-org/ggml, docs/gguf.md; the tokenizer's from llama.cpp's own converter of byte-level BPE.
 */
import { encodeGguf, type GgufTensor, type GgufValue } from "@pretrain/gguf";
import type { LlamaShape } from "@pretrain/hugging-face";
import type { ExportContent, ExportFormat } from "./export-format.ts";
import { ggufVocabulary } from "./gguf-vocabulary.ts";
import { readGguf } from "./read-gguf.ts";

export const gguf: ExportFormat = {
  files: (content) => {
    const encoded = {
      values: new Map([...modelValues(content), ...tokenizerValues(content)]),
      tensors: tensors(content),
    };
    return new Map([["model.gguf", () => encodeGguf(encoded)]]);
  },
  read: readGguf,
};

type Entry = readonly [key: string, value: GgufValue];
const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
const float32 = (value: number): GgufValue => ({ type: "float32", value });
const string = (value: string): GgufValue => ({ type: "string", value });

function modelValues({ shape, provenance }: ExportContent): Entry[] {
  return [
    ["general.architecture", string("llama")],
    ["general.type", string("model")],
    ["general.file_type", uint32(0)], // all tensors are float32
    ...Object.entries(provenance).map(([key, value]): Entry => [key, string(value)]),
    ["llama.vocab_size", uint32(shape.vocabularySize)],
    ["llama.context_length", uint32(shape.maxSequenceLength)],
    ["llama.embedding_length", uint32(shape.dim)],
    ["llama.block_count", uint32(shape.layers)],
    ["llama.feed_forward_length", uint32(shape.hiddenDim)],
    ["llama.attention.head_count", uint32(shape.heads)],
    ["llama.attention.head_count_kv", uint32(shape.keyValueHeads)],
    ["llama.attention.key_length", uint32(shape.headDim)],
    ["llama.attention.value_length", uint32(shape.headDim)],
    ["llama.attention.layer_norm_rms_epsilon", float32(shape.normEps)],
    ["llama.rope.dimension_count", uint32(shape.headDim)],
    ["llama.rope.freq_base", float32(shape.ropeTheta)],
  ];
}

/** `gpt-2` is the pre-tokenizer of GPT-2's regular expression, the one that the tokenizer.json asks for. */
function tokenizerValues({ tokenizerJson, specialTokens: { bos, eos, pad } }: ExportContent): Entry[] {
  const { tokens, types, merges } = ggufVocabulary(tokenizerJson);
  return [
    ["tokenizer.ggml.model", string("gpt2")],
    ["tokenizer.ggml.pre", string("gpt-2")],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: types }],
    ["tokenizer.ggml.merges", { type: "strings", value: merges }],
    ["tokenizer.ggml.bos_token_id", uint32(bos)],
    ["tokenizer.ggml.eos_token_id", uint32(eos)],
    ["tokenizer.ggml.padding_token_id", uint32(pad)],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: false }],
  ];
}

function tensors({ weights, shape }: ExportContent): Map<string, GgufTensor> {
  return new Map(
    tensorNames(shape).map(([ours, theirs, lengths]) => {
      const data = weights.get(`${ours}.weight`);
      if (data === undefined) throw new Error(`the weights lack ${ours}.weight`);
      return [`${theirs}.weight`, { shape: lengths, data }];
    }),
  );
}

type NamedShape = readonly [ours: string, theirs: string, shape: readonly number[]];

function tensorNames({
  vocabularySize,
  dim,
  layers,
  heads,
  keyValueHeads,
  headDim,
  hiddenDim,
}: LlamaShape): NamedShape[] {
  const [queryDim, keyDim] = [heads * headDim, keyValueHeads * headDim];
  const ofLayer: readonly NamedShape[] = [
    ["attention_norm", "attn_norm", [dim]],
    ["attention.wq", "attn_q", [queryDim, dim]],
    ["attention.wk", "attn_k", [keyDim, dim]],
    ["attention.wv", "attn_v", [keyDim, dim]],
    ["attention.wo", "attn_output", [dim, queryDim]],
    ["ffn_norm", "ffn_norm", [dim]],
    ["feed_forward.w1", "ffn_gate", [hiddenDim, dim]],
    ["feed_forward.w2", "ffn_down", [dim, hiddenDim]],
    ["feed_forward.w3", "ffn_up", [hiddenDim, dim]],
  ];
  const named = (layer: number) =>
    ofLayer.map(
      ([ours, theirs, lengths]): NamedShape => [`layers.${layer}.${ours}`, `blk.${layer}.${theirs}`, lengths],
    );
  return [
    ["tok_embeddings", "token_embd", [vocabularySize, dim]], // also the output: a file without output.weight says so
    ...Array.from({ length: layers }, (_, layer) => named(layer)).flat(),
    ["norm", "output_norm", [dim]],
  ];
}
