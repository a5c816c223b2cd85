/** A Llama model's sizes as `config.json` has them: written for transformers 4 and 5, read from either. */
import { FailedPrecondition } from "@pretrain/errors";
import type { LlamaShape } from "./llama-mapping.ts";
import { shownValue } from "./refused.ts";

/** Ids of the tokens that begin, end and fill a text. */
export interface MarkerIds {
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
}

/** The content of `config.json`. */
export function llamaConfig(shape: LlamaShape, { bos, eos, pad }: MarkerIds): Readonly<Record<string, unknown>> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: shape.vocabularySize,
    hidden_size: shape.dim,
    intermediate_size: shape.hiddenDim,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    head_dim: shape.headDim,
    hidden_act: "silu",
    max_position_embeddings: shape.maxSequenceLength,
    rms_norm_eps: shape.normEps,
    rope_theta: shape.ropeTheta, // up to transformers 4
    rope_parameters: { rope_theta: shape.ropeTheta, rope_type: "default" }, // from 5 on
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    attention_dropout: 0,
    bos_token_id: bos,
    eos_token_id: eos,
    pad_token_id: pad,
    torch_dtype: "float32",
    use_cache: true,
  };
}

/**
 * The sizes that a `config.json` states.
 *
 * @param config its JSON value, whoever wrote it   @param file for the errors
 * @throws FailedPrecondition NOT_A_LLAMA naming the field and what it would have to be: another architecture, activation or scaling of
 *   positions computes something else
 */
export function llamaShape(config: unknown, file: string): LlamaShape & { readonly isTied: boolean } {
  const fields = new ConfigFields(config, file);
  fields.expect("model_type", ["llama", "minimind"]);
  fields.expect("hidden_act", ["silu", undefined]);
  fields.expect("attention_bias", [false, undefined]);
  fields.expect("mlp_bias", [false, undefined]);
  fields.expect("rope_scaling", [null, undefined]);
  const rope = fields.optionalGroup("rope_parameters");
  rope?.expect("rope_type", ["default", undefined]);
  const [dim, heads] = [fields.count("hidden_size"), fields.count("num_attention_heads")];
  return {
    vocabularySize: fields.count("vocab_size"),
    dim,
    layers: fields.count("num_hidden_layers"),
    heads,
    keyValueHeads: fields.count("num_key_value_heads", heads),
    headDim: fields.count("head_dim", dim / heads),
    hiddenDim: fields.count("intermediate_size"),
    normEps: fields.amount("rms_norm_eps"),
    ropeTheta: rope?.amount("rope_theta", fields.amount("rope_theta", 10_000)) ?? fields.amount("rope_theta", 10_000),
    maxSequenceLength: fields.count("max_position_embeddings"),
    isTied: fields.truth("tie_word_embeddings", false),
  };
}

/** Largest size that is read, under whatever names: far above any model, far below what arithmetic with it would lose. */
export const countLimit = 2 ** 24;

class ConfigFields {
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #file: string;

  constructor(value: unknown, file: string) {
    this.#file = file;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#refusal("is no JSON object");
    this.#members = new Map(Object.entries(value));
  }

  optionalGroup(name: string): ConfigFields | undefined {
    const value = this.#members.get(name);
    return value === undefined || value === null ? undefined : new ConfigFields(value, `${this.#file}: ${name}`);
  }

  expect(name: string, allowed: readonly unknown[]): void {
    if (allowed.includes(this.#members.get(name))) return;
    throw this.#wrong(name, allowed.map((value) => JSON.stringify(value) ?? "nothing").join(" or "));
  }

  count(name: string, otherwise?: number): number {
    const value = this.#members.get(name) ?? otherwise;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= countLimit) return value;
    throw this.#wrong(name, `an integer from 1 to ${countLimit}`);
  }

  amount(name: string, otherwise?: number): number {
    const value = this.#members.get(name) ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw this.#wrong(name, "a number above 0");
  }

  truth(name: string, otherwise: boolean): boolean {
    const value = this.#members.get(name) ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false");
  }

  #wrong(name: string, expected: string): FailedPrecondition {
    const value = this.#members.get(name);
    return this.#refusal(`${name} is ${shownValue(value)}; ${expected} is expected`);
  }

  #refusal(fault: string): FailedPrecondition {
    return new FailedPrecondition("NOT_A_LLAMA", `${this.#file}: ${fault}`, { file: this.#file });
  }
}
