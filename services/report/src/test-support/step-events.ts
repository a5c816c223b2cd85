/** Test support: the metric events of one micro-step. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  MemorySampleSchema,
  PhaseTimesSchema,
  ProfileSampleSchema,
  type StepMetric,
  StepMetricSchema,
} from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { experimentOf, nonceOf, type RunShape, stepMs } from "./run-shape.ts";

export interface Moment {
  readonly attempt: number;
  readonly microStep: number;
  readonly endMs: number;
}

const samplingInterval = 10;
const tokensPerStep = 3800;

/** The step, and at every tenth its memory and profile samples. */
export function stepEvents(shape: RunShape, moment: Moment, noise: () => number): LedgerEvent[] {
  const events: LedgerEvent[] = [{ kind: "step", message: stepMetric(shape, moment, noise) }];
  if (moment.microStep % samplingInterval === 0)
    events.push(memorySample(shape, moment, noise), profileSample(shape, moment));
  return events;
}

export function stepMetric(shape: RunShape, moment: Moment, noise: () => number): StepMetric {
  const { microStep } = moment;
  const endsOptimizerStep = microStep % shape.accumulation === 0;
  const norm = 0.6 + 2.2 * Math.exp(-microStep / 20) + 0.15 * noise();
  return create(StepMetricSchema, {
    ...identity(shape, moment),
    optimizerStep: BigInt(Math.floor(microStep / shape.accumulation)),
    epoch: Math.ceil(microStep / shape.stepsPerEpoch),
    lossNats: lossAt(microStep, shape, noise) * (tokensPerStep - 8),
    lossTokens: BigInt(tokensPerStep - 8),
    rows: 8,
    learningRate: 1e-3 * 0.5 * (1 + Math.cos((Math.PI * microStep) / (shape.epochs * shape.stepsPerEpoch))),
    ...(endsOptimizerStep && { gradientNorm: norm, clipScale: Math.min(1, 1 / norm) }),
    tokensSeen: BigInt(microStep * tokensPerStep),
    tokens: BigInt(tokensPerStep),
    positions: 4096n,
    times: timesOf(endsOptimizerStep),
  });
}

/** Falls from ln V fast, then slowly, with the noise of a small batch. */
function lossAt(microStep: number, { epochs, stepsPerEpoch }: RunShape, noise: () => number): number {
  const progress = microStep / (epochs * stepsPerEpoch);
  return 3.4 + 3.6 * Math.exp(-progress * 12) + 1.7 * Math.exp(-progress * 2.5) + 0.09 * noise();
}

function timesOf(endsOptimizerStep: boolean) {
  const optimizerMs = endsOptimizerStep ? 45 : 0;
  return create(PhaseTimesSchema, {
    dataMs: 0.5,
    forwardBackwardMs: 735,
    optimizerMs,
    otherMs: stepMs - 735.5 - optimizerMs,
    totalMs: stepMs,
  });
}

function identity(shape: RunShape, { attempt, microStep, endMs }: Moment) {
  return {
    experiment: experimentOf(shape),
    attempt,
    attemptNonce: nonceOf(attempt),
    time: timestampFromMs(endMs),
    microStep: BigInt(microStep),
  };
}

function memorySample(shape: RunShape, moment: Moment, noise: () => number): LedgerEvent {
  const rssBytes = BigInt(Math.round(1.31e9 + 150 * moment.microStep + 2e6 * noise()));
  const sizes = { rssBytes, peakRssBytes: 1_402_000_000n, tensorBytes: 22_757_376n, tensors: 231n };
  return { kind: "memory", message: create(MemorySampleSchema, { ...identity(shape, moment), ...sizes }) };
}

function profileSample(shape: RunShape, moment: Moment): LedgerEvent {
  const tokensPerSecond = tokensPerStep / (stepMs / 1000);
  const mean = { microSteps: samplingInterval, mean: timesOf(false), tokensPerSecond };
  return { kind: "profile", message: create(ProfileSampleSchema, { ...identity(shape, moment), ...mean }) };
}
