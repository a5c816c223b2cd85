/** Where memory and time went, in sentences made of the numbers of the record. */
import { Experiment_Reason, type Report } from "@pretrain/proto";
import { bytes, change, counted, milliseconds, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";

/** Nothing where memory was not sampled. */
export function memorySentences(report: Report, { analysis }: Phrases): string[] {
  const { memory, environment, execution } = report;
  if (!memory?.samples) return [];
  const { peakRssBytes, lastRssBytes, lastTensorBytes } = memory;
  const machine = environment?.memoryBytes;
  const peak =
    peakRssBytes === undefined
      ? []
      : [
          machine
            ? analysis.peakOf(bytes(peakRssBytes), percent(shareOf(peakRssBytes, machine)))
            : analysis.peak(bytes(peakRssBytes)),
        ];
  const tensors =
    lastTensorBytes === undefined || !lastRssBytes || memory.lastReservedBytes !== undefined // then they lie elsewhere
      ? []
      : [analysis.tensors(bytes(lastTensorBytes), percent(shareOf(lastTensorBytes, lastRssBytes)))];
  const isExhausted = execution?.reason === Experiment_Reason.OUT_OF_RESOURCES;
  return [
    ...peak,
    ...tensors,
    ...allocatorSentences(report, analysis),
    ...slopeSentences(report, analysis),
    ...(isExhausted ? [analysis.outOfMemory] : []),
  ];
}

/** Two ratios that are easily taken for each other: of what the allocator holds, and of what the device has. */
function allocatorSentences({ memory }: Report, analysis: Phrases["analysis"]): string[] {
  const { lastReservedBytes, lastTensorBytes, tensorShareOfReserved, peakReservedBytes, reservedShareOfDevice } =
    memory ?? {};
  const held =
    lastReservedBytes === undefined || tensorShareOfReserved === undefined
      ? []
      : [analysis.reserved(bytes(lastReservedBytes), bytes(lastTensorBytes), percent(tensorShareOfReserved))];
  const most =
    peakReservedBytes === undefined || reservedShareOfDevice === undefined
      ? []
      : [analysis.reservedOf(bytes(peakReservedBytes), percent(reservedShareOfDevice))];
  return [...held, ...most];
}

function slopeSentences({ memory, training }: Report, analysis: Phrases["analysis"]): string[] {
  const { rssSlopeBytesPerStep: slope, lastRssBytes } = memory ?? {};
  if (slope === undefined || !lastRssBytes || training === undefined) return [];
  const whole = slope * Number(training.microSteps);
  return [analysis.slope(bytes(slope), bytes(whole), percent(whole / Number(lastRssBytes)))];
}

export function shareOf(part: bigint | undefined, whole: bigint | undefined): number | undefined {
  return part === undefined || !whole ? undefined : Number(part) / Number(whole);
}

/** The whole step, its parts, what is neither, and early steps against all: each percentage says of what. */
export function timeSentences({ time, training }: Report, { analysis }: Phrases): string[] {
  const { meanStep: all, meanFirstSteps: early } = time ?? {};
  if (all === undefined || all.totalMs <= 0) return [];
  const parts = {
    computing: milliseconds(all.forwardBackwardMs),
    computingShare: percent(all.forwardBackwardMs / all.totalMs),
    data: milliseconds(all.dataMs),
    optimizer: milliseconds(all.optimizerMs),
  };
  const compared =
    early === undefined || early.totalMs <= 0
      ? []
      : [
          analysis.earlyLate(
            milliseconds(early.totalMs),
            milliseconds(all.totalMs),
            change(((all.totalMs - early.totalMs) / early.totalMs) * 100),
          ),
        ];
  return [
    analysis.stepTime(milliseconds(all.totalMs), counted(training?.microSteps ?? 0n)),
    analysis.stepParts(parts),
    analysis.remainder(milliseconds(all.otherMs), percent(all.otherMs / all.totalMs)),
    ...compared,
  ];
}
