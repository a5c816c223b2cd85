/** Every curve that can be asked for: what it shows, and where its values come from. README.md of this service lists them. */
import type { MemorySample } from "@pretrain/proto";
import type { EvaluationNumbers } from "../record/evaluation-numbers.ts";

/** A value of each micro-step, as columns of the table of steps; a bucket's mean is sum over sum. */
interface StepCurve {
  readonly of: "step";
  readonly numerator: string;
  readonly denominator: string;
  /** From the quotient to what is shown. */
  readonly shown?: (quotient: number) => number;
}

/** A value of each memory sample. */
interface MemoryCurve {
  readonly of: "memory";
  readonly value: (sample: MemorySample) => bigint;
}

/** A value of each evaluated checkpoint. */
interface EvaluationCurve {
  readonly of: "evaluation";
  readonly value: keyof EvaluationNumbers;
}

export type Curve = { readonly unit: string } & (StepCurve | MemoryCurve | EvaluationCurve);

export const curves: Readonly<Record<string, Curve>> = {
  "train/loss": { of: "step", unit: "nats per token", numerator: "loss_nats", denominator: "loss_tokens" },
  "train/perplexity": { of: "step", unit: "1", numerator: "loss_nats", denominator: "loss_tokens", shown: Math.exp },
  "train/lr": { of: "step", unit: "1", numerator: "learning_rate", denominator: "1" },
  "train/grad_norm": { of: "step", unit: "1", numerator: "gradient_norm", denominator: "1" },
  "train/clip_scale": { of: "step", unit: "1", numerator: "clip_scale", denominator: "1" },
  "train/tokens": { of: "step", unit: "tokens", numerator: "tokens_seen", denominator: "1" },
  "perf/tokens_per_second": {
    of: "step",
    unit: "tokens per second",
    numerator: "tokens",
    denominator: "total_ms / 1000",
  },
  "perf/positions_per_second": {
    of: "step",
    unit: "positions per second",
    numerator: "positions",
    denominator: "total_ms / 1000",
  },
  "perf/step_seconds": { of: "step", unit: "seconds", numerator: "total_ms", denominator: "1000" },
  "perf/data_wait_seconds": { of: "step", unit: "seconds", numerator: "data_ms", denominator: "1000" },
  "memory/rss_bytes": { of: "memory", unit: "bytes", value: ({ rssBytes }) => rssBytes },
  "memory/peak_rss_bytes": { of: "memory", unit: "bytes", value: ({ peakRssBytes }) => peakRssBytes },
  "memory/tensor_bytes": { of: "memory", unit: "bytes", value: ({ tensorBytes }) => tensorBytes },
  "eval/loss": { of: "evaluation", unit: "nats per token", value: "loss" },
  "eval/inference_loss": { of: "evaluation", unit: "nats per token", value: "inferenceLoss" },
  "eval/perplexity": { of: "evaluation", unit: "1", value: "perplexity" },
  "eval/bits_per_byte": { of: "evaluation", unit: "bits per byte", value: "bitsPerByte" },
  "eval/bits_per_character": { of: "evaluation", unit: "bits per character", value: "bitsPerCharacter" },
  "eval/top1_accuracy": { of: "evaluation", unit: "ratio", value: "top1Accuracy" },
  "eval/calibration_error": { of: "evaluation", unit: "ratio", value: "calibrationError" },
};
