/** A folder that transformers loads by AutoModelForCausalLM and AutoTokenizer. */
import { llamaConfig, toLlamaTensors } from "@pretrain/hugging-face";
import { encodeSafetensors } from "@pretrain/safetensors";
import type { ExportContent, ExportFormat } from "./export-format.ts";
import { readHuggingFace } from "./read-hugging-face.ts";

export const huggingFace: ExportFormat = {
  files: (content) => {
    const { shape, weights, tokenizerJson, specialTokens, provenance } = content;
    const tensors = toLlamaTensors(weights, shape);
    return new Map<string, () => Iterable<Uint8Array>>([
      ["model.safetensors", () => encodeSafetensors(tensors, { format: "pt", ...provenance })],
      ["config.json", () => [json(llamaConfig(shape, specialTokens))]],
      ["generation_config.json", () => [json(generationConfig(content))]],
      ["tokenizer.json", () => [tokenizerJson]],
      ["tokenizer_config.json", () => [json(tokenizerConfig(content))]],
    ]);
  },
  read: readHuggingFace,
};

/** Transformers 5 calls this class TokenizersBackend and still reads the older name; 4 knows only that. */
function tokenizerConfig({ shape, markers }: ExportContent) {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: markers.bos,
    eos_token: markers.eos,
    pad_token: markers.pad,
    model_max_length: shape.maxSequenceLength,
    clean_up_tokenization_spaces: false,
  };
}

function generationConfig({ specialTokens: { bos, eos, pad } }: ExportContent) {
  return { bos_token_id: bos, eos_token_id: eos, pad_token_id: pad, do_sample: false };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
