/** A step's event as a row of the table of steps. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StepMetric } from "@pretrain/proto";

/** In the order of the table's columns. */
export function stepColumns(experiment: string, step: StepMetric): (string | number | bigint | null)[] {
  const { times } = step;
  return [
    experiment,
    step.microStep,
    step.attempt,
    step.optimizerStep,
    step.epoch,
    step.time === undefined ? 0 : timestampMs(step.time),
    step.lossNats,
    step.lossTokens,
    step.learningRate,
    step.gradientNorm ?? null,
    step.clipScale ?? null,
    step.tokensSeen,
    step.tokens,
    step.positions,
    times?.dataMs ?? 0,
    times?.forwardBackwardMs ?? 0,
    times?.optimizerMs ?? 0,
    times?.otherMs ?? 0,
    times?.totalMs ?? 0,
  ];
}
