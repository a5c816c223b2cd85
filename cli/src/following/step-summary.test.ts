import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type StepMetric, StepMetricSchema } from "@pretrain/proto";
import { StepSummary, summaryLine } from "./step-summary.ts";

const totals = { microSteps: 103n, epochs: 3 };

/** 100 tokens and half a second each. */
const step = (microStep: number, lossNats: number, lossTokens: number, gradientNorm?: number): StepMetric =>
  create(StepMetricSchema, {
    microStep: BigInt(microStep),
    epoch: 1,
    lossNats,
    lossTokens: BigInt(lossTokens),
    learningRate: 2e-4,
    ...(gradientNorm !== undefined && { gradientNorm }),
    tokens: 100n,
    times: { dataMs: 2, totalMs: 500 },
  });

test("a line divides sums once: 30 nats over 1 token and 20 over 99 are half a nat per token", () => {
  assert.equal(
    summaryLine([step(1, 30, 1, 1.5), step(2, 20, 99)], totals),
    "step: 2/103 epoch: 1/3 loss: 0.5000 grad_norm: 1.5000 lr: 2.0000e-4 tokens/s: 200 data_wait: 0.004 left: 51s",
  );
});

test("every field is there when its value is not", () => {
  const bare = create(StepMetricSchema, { microStep: 7n, epoch: 1, lossNats: 3, lossTokens: 1n });
  assert.equal(
    summaryLine([bare], { microSteps: 0n, epochs: 0 }),
    "step: 7/? epoch: 1/? loss: 3.0000 grad_norm: - lr: 0.0000e+0 tokens/s: - data_wait: 0.000 left: -",
  );
});

test("a line ends with each multiple of the interval, wherever the watch began, and with the last micro-step", () => {
  const summary = new StepSummary(10);
  const lines = Array.from({ length: 97 }, (_, index) => summary.add(step(7 + index, 1, 1), totals));
  const ends = lines.flatMap((line, index) => (line === undefined ? [] : [7 + index]));
  assert.deepEqual(ends, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 103]);
});
