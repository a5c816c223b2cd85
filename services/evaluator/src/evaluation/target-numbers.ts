/** What is told of all targets of the validation split one by one: how sure the model was of them, and where the loss comes from. */
import { create } from "@bufbuild/protobuf";
import {
  type LossBucket as Bucket,
  calibrationBins,
  countRange,
  expectedCalibrationError,
  LossBuckets,
  positionRange,
  top1Accuracy,
} from "@pretrain/measures";
import { CalibrationSchema, type Evaluation, type LossBucket, LossBucketSchema } from "@pretrain/proto";
import type { RowLoss } from "../worker/protocol.ts";
import { lossMessage } from "./loss-message.ts";

export type TargetNumbers = Pick<Evaluation, "calibration" | "lossByPosition" | "lossByFrequency"> &
  Partial<Pick<Evaluation, "top1Accuracy">>;

/** @param trainTokenCounts how often each token stands in the training split; undefined: unknown, and no loss by frequency */
export function targetNumbers(rows: readonly RowLoss[], trainTokenCounts?: readonly bigint[]): TargetNumbers {
  const bins = calibrationBins(rows.map(({ targets }) => targets));
  const [accuracy, expectedError] = [top1Accuracy(bins), expectedCalibrationError(bins)];
  return {
    ...(accuracy !== undefined && { top1Accuracy: accuracy }),
    calibration: create(CalibrationSchema, {
      bins: bins.map(({ tokens, correct, ...bin }) => ({ ...bin, tokens: BigInt(tokens), correct: BigInt(correct) })),
      ...(expectedError !== undefined && { expectedError }),
    }),
    lossByPosition: byPosition(rows),
    lossByFrequency: trainTokenCounts === undefined ? [] : byFrequency(rows, trainTokenCounts),
  };
}

function byPosition(rows: readonly RowLoss[]): LossBucket[] {
  const buckets = new LossBuckets(positionRange);
  for (const { targets } of rows) {
    for (const [index, nats] of targets.nats.entries()) buckets.add(index + 1, nats);
  }
  return buckets.buckets().map(bucketMessage);
}

function byFrequency(rows: readonly RowLoss[], trainTokenCounts: readonly bigint[]): LossBucket[] {
  const counts = Float64Array.from(trainTokenCounts, Number);
  const buckets = new LossBuckets(countRange);
  for (const { targets } of rows) {
    for (const [index, token] of targets.tokens.entries()) {
      const count = counts[token];
      if (count === undefined) throw new RangeError(`token ${token}; ${counts.length} tokens were counted`);
      buckets.add(count, targets.nats[index] ?? Number.NaN);
    }
  }
  return buckets.buckets().map(bucketMessage);
}

function bucketMessage({ from, to, ...loss }: Bucket): LossBucket {
  return create(LossBucketSchema, { from: BigInt(from), to: BigInt(to), loss: lossMessage(loss) });
}
