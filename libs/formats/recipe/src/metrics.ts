/**
 * The numbers of a whole run that targets, predictions and hypotheses may name. The report computes each of them from the
 * ledger; a name that is not here is refused before the run begins. docs/metrics.md is this table.
 */
export type Better = "lower" | "higher" | "neither";

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly meaning: string;
  /** Which direction is an improvement. */
  readonly better: Better;
  /** What others call the same number, where they have it: Hugging Face Trainer, OLMo-core, MiniMind. */
  readonly huggingFace?: string;
  readonly olmo?: string;
  readonly miniMind?: string;
}

export const metrics: readonly Metric[] = [
  {
    name: "train/loss",
    unit: "nats per token",
    meaning: "Loss of the last micro-step: its sum over its targets",
    better: "lower",
    huggingFace: "loss",
    olmo: "train/CE loss",
    miniMind: "loss",
  },
  {
    name: "train/best_loss",
    unit: "nats per token",
    meaning: "Smallest loss of any micro-step",
    better: "lower",
  },
  {
    name: "train/perplexity",
    unit: "1",
    meaning: "exp of train/loss, unrounded",
    better: "lower",
    olmo: "train/PPL",
  },
  {
    name: "train/loss_reduction",
    unit: "ratio",
    meaning: "(first loss - last loss) / first loss, of micro-steps",
    better: "higher",
  },
  {
    name: "train/grad_norm_max",
    unit: "1",
    meaning: "Largest global norm of the gradients of an optimizer step, before clipping",
    better: "lower",
    huggingFace: "grad_norm",
    olmo: "optim/total grad norm",
  },
  {
    name: "train/lr",
    unit: "1",
    meaning: "Learning rate of the last optimizer step",
    better: "neither",
    huggingFace: "learning_rate",
    olmo: "optim/LR",
    miniMind: "learning_rate",
  },
  {
    name: "train/tokens",
    unit: "tokens",
    meaning: "Real tokens trained on, repetitions counted, padding not",
    better: "neither",
    huggingFace: "num_input_tokens_seen",
    olmo: "throughput/total tokens",
  },
  {
    name: "train/duration_seconds",
    unit: "seconds",
    meaning: "From the first step's begin to the last step's end",
    better: "lower",
    huggingFace: "train_runtime",
    miniMind: "epoch_time",
  },
  {
    name: "eval/loss",
    unit: "nats per token",
    meaning: "Loss of every target of the validation split, at the last checkpoint",
    better: "lower",
    huggingFace: "eval_loss",
    olmo: "eval/CE loss",
  },
  {
    name: "eval/inference_loss",
    unit: "nats per token",
    meaning: "Teacher-forced loss of the predicted tokens of all samples, at the last checkpoint",
    better: "lower",
  },
  {
    name: "eval/perplexity",
    unit: "1",
    meaning: "exp of eval/loss, unrounded",
    better: "lower",
    olmo: "eval/PPL",
  },
  {
    name: "eval/bits_per_byte",
    unit: "bits per byte",
    meaning: "Loss of the validation text's own tokens per UTF-8 byte of it, markers left out, at the last checkpoint",
    better: "lower",
  },
  {
    name: "eval/bits_per_character",
    unit: "bits per character",
    meaning: "The same per character (Unicode code point) of the text",
    better: "lower",
  },
  {
    name: "eval/top1_accuracy",
    unit: "ratio",
    meaning: "Share of the validation split's targets that had the largest score, at the last checkpoint",
    better: "higher",
  },
  {
    name: "eval/calibration_error",
    unit: "ratio",
    meaning:
      "Expected calibration error: over bins of confidence, how far the share of right predictions is from it, by tokens",
    better: "lower",
  },
  {
    name: "eval/train_overlap",
    unit: "ratio",
    meaning: "Share of the runs of tokens in the validation text that stand in the training text too",
    better: "neither",
  },
  {
    name: "eval/train_inference_gap",
    unit: "nats per token",
    meaning: "Absolute difference of train/loss and eval/inference_loss",
    better: "lower",
  },
  {
    name: "eval/completion_rate",
    unit: "ratio",
    meaning: "Tokens generated over tokens asked for, over all samples of the last checkpoint",
    better: "higher",
  },
  {
    name: "eval/eos_rate",
    unit: "ratio",
    meaning: "Share of the generated samples that end with eos, at the last checkpoint",
    better: "neither",
  },
  {
    name: "eval/distinct_2",
    unit: "ratio",
    meaning: "Different runs of 2 generated tokens over all of them, over all samples of the last checkpoint",
    better: "higher",
  },
  {
    name: "eval/repetition_4",
    unit: "ratio",
    meaning: "Share of the runs of 4 generated tokens that their own sample had before, at the last checkpoint",
    better: "lower",
  },
  {
    name: "eval/bleu",
    unit: "of 100",
    meaning: "BLEU-4 of the generated texts against the true ones, over all samples of the last checkpoint",
    better: "higher",
  },
  {
    name: "eval/chrf",
    unit: "of 100",
    meaning: "chrF2 of the generated texts against the true ones, over all samples of the last checkpoint",
    better: "higher",
  },
  {
    name: "eval/quality",
    unit: "of 10",
    meaning:
      "Mean of the points for aspects of the generated text, of each author and aspect the last; signed annotations",
    better: "higher",
  },
  {
    name: "memory/peak_rss_bytes",
    unit: "bytes",
    meaning: "Largest resident memory of the process that computes, by the operating system's own count",
    better: "lower",
  },
  {
    name: "memory/peak_reserved_bytes",
    unit: "bytes",
    meaning: "The most that the allocator of the device held at any sample, used or not, where it tells; between steps",
    better: "lower",
  },
  {
    name: "perf/tokens_per_second",
    unit: "tokens per second",
    meaning: "Real tokens over the time of all micro-steps, padding not counted",
    better: "higher",
    huggingFace: "train_tokens_per_second",
    olmo: "throughput/device/TPS",
  },
  {
    name: "perf/step_seconds",
    unit: "seconds",
    meaning: "Mean time of a micro-step, from the end of the one before to its own end",
    better: "lower",
  },
  {
    name: "perf/data_wait_seconds",
    unit: "seconds",
    meaning: "Mean time that a micro-step waits for its batch",
    better: "lower",
  },
];

const byName: ReadonlyMap<string, Metric> = new Map(metrics.map((metric) => [metric.name, metric]));

/** The metric of that name, undefined when there is none. */
export function metricNamed(name: string): Metric | undefined {
  return byName.get(name);
}
