/**
 * The curves of an experiment, by the names of the report service's README. Those of a micro-step are computed here from its event, in the
 * same way; those that are sampled now and then are asked for.
 */
import type { StepMetric } from "@pretrain/proto";
import type { MicroStep } from "./experiment-source.ts";

type StepValue = (step: StepMetric) => number | undefined;

/** A value of each micro-step. Undefined: it has none, such as a gradient norm where no optimizer step ended. */
export const stepMetrics: Readonly<Record<string, StepValue>> = {
  "train/loss": lossNatsPerToken,
  "train/perplexity": (step) => exponential(lossNatsPerToken(step)),
  "train/lr": ({ learningRate }) => learningRate,
  "train/grad_norm": ({ gradientNorm }) => gradientNorm,
  "train/clip_scale": ({ clipScale }) => clipScale,
  "train/tokens": ({ tokensSeen }) => Number(tokensSeen),
  "perf/tokens_per_second": ({ tokens, times }) => quotient(Number(tokens), seconds(times?.totalMs)),
  "perf/positions_per_second": ({ positions, times }) => quotient(Number(positions), seconds(times?.totalMs)),
  "perf/step_seconds": ({ times }) => seconds(times?.totalMs),
  "perf/data_wait_seconds": ({ times }) => seconds(times?.dataMs),
  "perf/forward_backward_seconds": ({ times }) => seconds(times?.forwardBackwardMs),
  "perf/optimizer_seconds": ({ times }) => seconds(times?.optimizerMs),
  "perf/other_seconds": ({ times }) => seconds(times?.otherMs),
};

/** A value of each memory sample. */
export const memoryMetrics = ["memory/rss_bytes", "memory/peak_rss_bytes", "memory/tensor_bytes"] as const;

/** A value of each evaluated checkpoint. */
export const evaluationMetrics = [
  "eval/loss",
  "eval/inference_loss",
  "eval/perplexity",
  "eval/bits_per_byte",
  "eval/bits_per_character",
  "eval/top1_accuracy",
  "eval/calibration_error",
] as const;

/** Every value of a micro-step that there is, by the name of its curve. */
export function* scalarsOf({
  step,
  sampled,
}: Pick<MicroStep, "step" | "sampled">): Generator<readonly [string, number]> {
  for (const [name, valueOf] of Object.entries(stepMetrics)) {
    const value = step && valueOf(step);
    if (value !== undefined) yield [name, value];
  }
  yield* sampled;
}

function lossNatsPerToken({ lossNats, lossTokens }: StepMetric): number | undefined {
  return quotient(lossNats, Number(lossTokens));
}

/** Nothing over nothing is not 0. */
function quotient(numerator: number, denominator: number | undefined): number | undefined {
  return denominator === undefined || denominator === 0 ? undefined : numerator / denominator;
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

function exponential(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.exp(value);
}
