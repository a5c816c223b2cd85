/** Memory and time, each with the moment of its measurement. */
import type { PhaseTimes, Report } from "@pretrain/proto";
import { bytes, counted, fixed, milliseconds, percent } from "../figures.ts";
import type { Block, Cell, Section } from "../record-document.ts";

export function memorySection({ memory, environment }: Report): Section {
  const { peakRssBytes, rssSlopeBytesPerStep } = memory ?? {};
  return {
    id: "memory",
    title: "Memory",
    origin: "measured",
    source:
      "samples of the computing process, taken right after a micro-step; the peak is the operating system's own count",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Samples", counted(memory?.samples ?? 0n)],
          ["Peak resident memory", bytes(peakRssBytes)],
          ["Peak, of the machine's memory", percent(shareOf(peakRssBytes, environment?.memoryBytes))],
          ["Resident memory at the last sample", bytes(memory?.lastRssBytes)],
          ["Live tensors at the last sample, between steps", bytes(memory?.lastTensorBytes)],
          [
            "Slope of resident memory (least squares)",
            rssSlopeBytesPerStep === undefined ? "–" : `${fixed(rssSlopeBytesPerStep, 0)} bytes per micro-step`,
          ],
        ],
      },
    ],
  };
}

function shareOf(part: bigint | undefined, whole: bigint | undefined): number | undefined {
  return part === undefined || !whole ? undefined : Number(part) / Number(whole);
}

export function timeSection({ time, training }: Report): Section {
  return {
    id: "time",
    title: "Time",
    origin: "measured",
    source: "means over micro-steps; the parts add up to the total",
    blocks: [
      {
        kind: "table",
        columns: [
          { title: "Part of a micro-step" },
          { title: "First ten", numeric: true },
          { title: `All ${counted(training?.microSteps ?? 0n)}`, numeric: true },
          { title: "Share of all", numeric: true },
        ],
        rows: parts.map(([name, part]) => partRow(name, part, time?.meanFirstSteps, time?.meanStep)),
      },
      speeds(time?.tokensPerSecond, time?.positionsPerSecond),
    ],
  };
}

const parts = [
  ["Waiting for data", "dataMs"],
  ["Forward and backward", "forwardBackwardMs"],
  ["Optimizer (clipping, AdamW)", "optimizerMs"],
  ["Other: copying, reading the loss, saving", "otherMs"],
  ["Total", "totalMs"],
] as const;

function partRow(
  name: string,
  part: (typeof parts)[number][1],
  first: PhaseTimes | undefined,
  all: PhaseTimes | undefined,
): Cell[] {
  const share = all === undefined || all.totalMs === 0 ? undefined : all[part] / all.totalMs;
  return [name, milliseconds(first?.[part]), milliseconds(all?.[part]), percent(share)];
}

function speeds(tokensPerSecond: number | undefined, positionsPerSecond: number | undefined): Block {
  return {
    kind: "facts",
    rows: [
      ["Real tokens per second (padding not counted)", fixed(tokensPerSecond, 0)],
      ["Positions per second (padding counted)", fixed(positionsPerSecond, 0)],
    ],
  };
}
