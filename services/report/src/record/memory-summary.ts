/** Memory of the process that computes, sampled right after micro-steps; the peak is the operating system's own count. */
import { create } from "@bufbuild/protobuf";
import { type MemorySample, type MemorySummary, MemorySummarySchema } from "@pretrain/proto";
import { acceptedItems, type Resumption } from "./accepted.ts";
import { leastSquaresLine } from "./least-squares.ts";
import { present } from "./present.ts";

/**
 * @param samples of all attempts: also an attempt that led nowhere needed its memory
 * @param accepted those of them that count, by micro-step
 * @param deviceBytes memory of the device, where it is not the machine's
 */
export function memorySummary(
  samples: readonly MemorySample[],
  accepted: readonly MemorySample[],
  deviceBytes?: bigint,
): MemorySummary {
  const last = accepted.at(-1);
  const reserved = samples.flatMap(({ reservedBytes }) => (reservedBytes === undefined ? [] : [reservedBytes]));
  const peakReservedBytes = reserved.length > 0 ? largest(reserved) : undefined;
  return create(MemorySummarySchema, {
    samples: BigInt(accepted.length),
    ...(last && { lastRssBytes: last.rssBytes, lastTensorBytes: last.tensorBytes }),
    ...(samples.length > 0 && { peakRssBytes: largest(samples.map(({ peakRssBytes }) => peakRssBytes)) }),
    ...present({
      rssSlopeBytesPerStep: leastSquaresLine(accepted.map(rssOverSteps))?.slope,
      lastReservedBytes: last?.reservedBytes,
      peakReservedBytes,
      tensorShareOfReserved: share(last?.tensorBytes, last?.reservedBytes),
      reservedShareOfDevice: share(peakReservedBytes, deviceBytes),
    }),
  });
}

/** Two ratios are called utilisation of memory; each says here what it is a share of. */
function share(part: bigint | undefined, whole: bigint | undefined): number | undefined {
  return part === undefined || !whole ? undefined : Number(part) / Number(whole);
}

/** By micro-step. */
export function acceptedSamples(samples: readonly MemorySample[], resumptions: readonly Resumption[]): MemorySample[] {
  return acceptedItems(samples, placeOf, resumptions);
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
