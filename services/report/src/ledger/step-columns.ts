/** A step's event as a row of the table of steps. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@pretrain/errors";
import type { StepMetric } from "@pretrain/proto";
import type { RowValue } from "./row-checksum.ts";

/** In the order of the table's columns. @throws InvalidArgument naming a number that the table cannot hold */
export function stepColumns(experiment: string, step: StepMetric): RowValue[] {
  const { times } = step;
  return [
    experiment,
    whole("micro_step", step.microStep),
    step.attempt,
    step.attemptNonce,
    whole("optimizer_step", step.optimizerStep),
    step.epoch,
    step.time === undefined ? 0 : timestampMs(step.time),
    measured("loss_nats", step.lossNats),
    whole("loss_tokens", step.lossTokens),
    measured("learning_rate", step.learningRate),
    step.gradientNorm === undefined ? null : measured("gradient_norm", step.gradientNorm),
    step.clipScale === undefined ? null : measured("clip_scale", step.clipScale),
    whole("tokens_seen", step.tokensSeen),
    whole("tokens", step.tokens),
    whole("positions", step.positions),
    measured("times.data_ms", times?.dataMs ?? 0),
    measured("times.forward_backward_ms", times?.forwardBackwardMs ?? 0),
    measured("times.optimizer_ms", times?.optimizerMs ?? 0),
    measured("times.other_ms", times?.otherMs ?? 0),
    measured("times.total_ms", times?.totalMs ?? 0),
  ];
}

function whole(field: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgument([{ field: `step.${field}`, description: `${value} is not a count that can be kept` }]);
}

/** SQLite would store NaN as NULL, and one such step would keep its whole batch out for ever. */
function measured(field: string, value: number): number {
  if (!Number.isNaN(value)) return value;
  throw new InvalidArgument([{ field: `step.${field}`, description: "is not a number" }]);
}
