/** Every curve that can be asked for: what it shows, and where its values come from. README.md of this service lists them. */
import type { MemorySample } from "@pretrain/proto";
import type { EvaluationNumbers } from "../record/evaluation-numbers.ts";
import type { StepColumn } from "./step-columns.ts";

/** A value of each micro-step, numerator over denominator; a bucket's mean is sum over sum. */
export interface StepCurve {
  readonly of: "step";
  readonly numerator: StepColumn;
  /** 1 where it is left out. */
  readonly denominator?: StepColumn;
  /** From the quotient to what is shown, rising. */
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
  "train/loss": { of: "step", unit: "nats per token", numerator: "lossNats", denominator: "lossTokens" },
  "train/perplexity": { of: "step", unit: "1", numerator: "lossNats", denominator: "lossTokens", shown: Math.exp },
  "train/lr": { of: "step", unit: "1", numerator: "learningRate" },
  "train/grad_norm": { of: "step", unit: "1", numerator: "gradientNorm" },
  "train/clip_scale": { of: "step", unit: "1", numerator: "clipScale" },
  "train/tokens": { of: "step", unit: "tokens", numerator: "tokensSeen" },
  "perf/tokens_per_second": {
    of: "step",
    unit: "tokens per second",
    numerator: "tokens",
    denominator: "totalSeconds",
  },
  "perf/positions_per_second": {
    of: "step",
    unit: "positions per second",
    numerator: "positions",
    denominator: "totalSeconds",
  },
  "perf/step_seconds": { of: "step", unit: "seconds", numerator: "totalSeconds" },
  "perf/data_wait_seconds": { of: "step", unit: "seconds", numerator: "dataSeconds" },
  "perf/forward_backward_seconds": { of: "step", unit: "seconds", numerator: "forwardBackwardSeconds" },
  "perf/optimizer_seconds": { of: "step", unit: "seconds", numerator: "optimizerSeconds" },
  "perf/other_seconds": { of: "step", unit: "seconds", numerator: "otherSeconds" },
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
