/** Memory of the process that computes, sampled right after micro-steps; the peak is the operating system's own count. */
import { create } from "@bufbuild/protobuf";
import { type MemorySample, type MemorySummary, MemorySummarySchema } from "@pretrain/proto";
import { acceptedItems, type Resumption } from "./accepted.ts";
import { present } from "./present.ts";

/** @param samples of all attempts: also an attempt that led nowhere needed its memory. */
export function memorySummary(samples: readonly MemorySample[], resumptions: readonly Resumption[]): MemorySummary {
  const accepted = acceptedItems(samples, placeOf, resumptions);
  const last = accepted.at(-1);
  return create(MemorySummarySchema, {
    samples: BigInt(accepted.length),
    ...(last && { lastRssBytes: last.rssBytes, lastTensorBytes: last.tensorBytes }),
    ...(samples.length > 0 && { peakRssBytes: largest(samples.map(({ peakRssBytes }) => peakRssBytes)) }),
    ...present({ rssSlopeBytesPerStep: leastSquaresSlope(accepted.map(rssOverSteps)) }),
  });
}

function placeOf({ attempt, microStep }: MemorySample) {
  return { attempt, microStep: Number(microStep) };
}

function rssOverSteps({ microStep, rssBytes }: MemorySample): readonly [microStep: number, rssBytes: number] {
  return [Number(microStep), Number(rssBytes)];
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((max, value) => (value > max ? value : max), 0n);
}

/** Slope of y over x; undefined for fewer than two different x. Centred, so that large x and y lose no digits. */
export function leastSquaresSlope(points: readonly (readonly [x: number, y: number])[]): number | undefined {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance > 0 ? covariance / variance : undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
