/** What is measured: the sizes of the models and of the work. The same for every contender. */
import type { Config, Precision } from "./protocol.ts";

export type BenchName = "step" | "score" | "generate" | "resume" | "checkpoint";
export type ModelName = "baseline" | "small";

/** In the names of testdata/golden-model/full_size.json, which has the baseline's sizes too. */
export interface Model {
  readonly vocab_size: number;
  readonly dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly n_kv_heads: number;
  readonly hidden_dim: number;
  readonly norm_eps: number;
  readonly rope_theta: number;
}

/** `small` is for trying the bench itself: 4 million parameters, seconds instead of minutes. */
export const models: Readonly<Record<ModelName, Model & { readonly sequence: number }>> = {
  baseline: sizes({ dim: 512, n_layers: 8, n_heads: 32, n_kv_heads: 8, hidden_dim: 1408, sequence: 512 }),
  small: sizes({ dim: 256, n_layers: 4, n_heads: 16, n_kv_heads: 4, hidden_dim: 704, sequence: 256 }),
};

function sizes<T>(own: T) {
  return { vocab_size: 6400, norm_eps: 1e-5, rope_theta: 1e6, ...own };
}

/** 64 rows from 1/16 of the longest to the longest, in an order that looks random and is always the same. */
export function rowLengths(longest: number, rows = 64): number[] {
  const shortest = Math.floor(longest / 16);
  const span = longest - shortest;
  return Array.from({ length: rows }, (_, row) => shortest + Math.round((((row * 37) % rows) * span) / (rows - 1)));
}

export interface Work {
  readonly model: ModelName;
  readonly rows: number;
  /** At most `rows`. */
  readonly rowsAtOnce: number;
  readonly threads: number;
}

export function configOf({ model, rows, rowsAtOnce, threads }: Work, precision: Precision, variant: string): Config {
  const { sequence, ...shape } = models[model];
  return {
    model: shape,
    precision,
    threads,
    variant,
    warm_up: 2,
    rows,
    sequence,
    rows_at_once: rowsAtOnce,
    training: {
      learning_rate: 2e-4,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weight_decay: 0.1,
      max_gradient_norm: 1,
    },
    row_lengths: rowLengths(sequence),
    prompt_length: 32,
    new_tokens: 200,
  };
}
