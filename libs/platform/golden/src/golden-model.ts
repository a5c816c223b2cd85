/** A golden model as its own files describe it: sizes, weights, and batches as rows with lengths. */
import assert from "node:assert/strict";
import type { GoldenSet, GoldenTensor } from "./golden-sets.ts";

/** `config.json` of a golden model, in its own names. */
export interface GoldenConfig {
  readonly vocab_size: number;
  readonly dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly n_kv_heads: number;
  readonly hidden_dim: number;
  readonly norm_eps: number;
  readonly rope_theta: number;
  readonly max_seq_len: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly adam_eps: number;
  readonly weight_decay: number;
  readonly grad_clip: number;
  readonly wide_grad_clip: number;
  readonly accumulation: number;
  readonly optimizer_steps: number;
  readonly total_optimizer_steps: number;
  readonly prompt_length: number;
  readonly max_new_tokens: number;
}

/** One row is a text with its markers, padded with 0: input and last label together, so one longer than the model's input. */
export interface GoldenBatch {
  readonly rows: readonly (readonly number[])[];
  /** Real tokens of each row; 0 for a row of padding. */
  readonly lengths: readonly number[];
}

type ModelSizes =
  | "vocab_size"
  | "dim"
  | "n_layers"
  | "n_heads"
  | "n_kv_heads"
  | "hidden_dim"
  | "norm_eps"
  | "rope_theta";

export type ModelConfig = Pick<GoldenConfig, ModelSizes>;

/** The sizes in the names of `@pretrain/model`. */
export function goldenShape(config: ModelConfig, maxSequenceLength: number) {
  return {
    vocabularySize: config.vocab_size,
    dim: config.dim,
    layers: config.n_layers,
    heads: config.n_heads,
    keyValueHeads: config.n_kv_heads,
    hiddenDim: config.hidden_dim,
    normEps: config.norm_eps,
    ropeTheta: config.rope_theta,
    maxSequenceLength,
  };
}

/** All micro-batches of `batches.i32.safetensors`, in their order. */
export function goldenBatches(set: GoldenSet): readonly GoldenBatch[] {
  const tensors = set.tensors("batches.i32.safetensors");
  return Array.from({ length: tensors.size / 2 }, (_, index) => {
    const inputs = rowsOf(tensors.get(`micro.${index}.input_ids`));
    const labels = rowsOf(tensors.get(`micro.${index}.labels`));
    return batchOf(inputs, labels);
  });
}

const ignored = -100; // in the place of a label: no target

function batchOf(inputs: readonly number[][], labels: readonly number[][]): GoldenBatch {
  const targets = labels.map((row) => row.filter((label) => label !== ignored).length);
  const rows = inputs.map((row, index) => [...row, Math.max(labels[index]?.at(-1) ?? ignored, 0)]);
  return { rows, lengths: targets.map((count) => (count === 0 ? 0 : count + 1)) };
}

function rowsOf(tensor: GoldenTensor | undefined): number[][] {
  assert(tensor !== undefined, "a batch has input_ids and labels");
  const [rows = 0, length = 0] = tensor.shape;
  return Array.from({ length: rows }, (_, row) => [...tensor.values.subarray(row * length, (row + 1) * length)]);
}
