/** A loss as the contract has it: the sum, the count, and their one division. */
import { create } from "@bufbuild/protobuf";
import { type LossTotal, meanNatsPerToken } from "@pretrain/measures";
import { type Loss, LossSchema } from "@pretrain/proto";

export function lossMessage({ nats, tokens }: LossTotal): Loss {
  const natsPerToken = meanNatsPerToken({ nats, tokens });
  return create(LossSchema, { nats, tokens: BigInt(tokens), ...(natsPerToken !== undefined && { natsPerToken }) });
}
