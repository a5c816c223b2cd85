/** The sizes that `config.json` states, in the names of this project's recipe, whoever's names they have there. */

import { countLimit, llamaShape } from "./llama-config.ts";
import type { LlamaShape } from "./llama-mapping.ts";
import { refused, shownValue } from "./refused.ts";

/**
 * Hugging Face's Llama, MiniMind's own names of the same since April 2025, or those before, which are the recipe's own.
 *
 * @param config the JSON value of the file `key`   @throws FailedPrecondition IMPORT_REFUSED, NOT_A_LLAMA naming the field
 */
export function statedShape(config: unknown, key: string): LlamaShape {
  const members: Record<string, unknown> = Object(config);
  const shape = Object.hasOwn(members, "n_layers") ? earlyShape(members, key) : llamaShape(config, key);
  const headDim = shape.dim / shape.heads;
  if (shape.headDim === headDim && Number.isInteger(headDim)) return shape;
  throw refused(
    key,
    `has heads of ${shape.headDim}; only dim ${shape.dim} / heads ${shape.heads} = ${headDim} is computed`,
  );
}

/** MiniMind's LMConfig: `hidden_dim` may be left to follow from the width. */
function earlyShape(members: Record<string, unknown>, key: string): LlamaShape {
  const amount = (name: string): number => {
    const value = members[name];
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw refused(key, `has ${shownValue(value)} as ${name}; a number above 0 is expected`);
  };
  const count = (name: string): number => {
    const value = amount(name);
    if (Number.isInteger(value) && value <= countLimit) return value;
    throw refused(key, `has ${value} as ${name}; a whole number up to ${countLimit} is expected`);
  };
  if (members["use_moe"] === true) throw refused(key, "asks for a mixture of experts (use_moe), which is not computed");
  const [dim, heads] = [count("dim"), count("n_heads")];
  return {
    vocabularySize: count("vocab_size"),
    dim,
    layers: count("n_layers"),
    heads,
    keyValueHeads: count("n_kv_heads"),
    headDim: dim / heads,
    hiddenDim: members["hidden_dim"] == null ? followingWidth(dim, count("multiple_of")) : count("hidden_dim"),
    normEps: amount("norm_eps"),
    ropeTheta: amount("rope_theta"),
    maxSequenceLength: count("max_seq_len"),
  };
}

function followingWidth(dim: number, multipleOf: number): number {
  return multipleOf * Math.ceil(Math.floor((2 * 4 * dim) / 3) / multipleOf);
}
