/** Memory and time, each with the moment of its measurement. */
import type { MemorySummary, PhaseTimes, Report } from "@pretrain/proto";
import { memorySentences, shareOf, timeSentences } from "../analysis/resources.ts";
import { absent, bytes, counted, fixed, milliseconds, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function memorySection(report: Report, words: Phrases): Section {
  const { memory, environment } = report;
  const { memory: texts } = words.resource;
  const { peakRssBytes, rssSlopeBytesPerStep: slope } = memory ?? {};
  const sentences = memorySentences(report, words);
  return {
    id: "memory",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      { kind: "heading", text: texts.analysis },
      ...orNone([{ kind: "list", items: sentences }], sentences.length === 0, words.document.none),
      {
        kind: "facts",
        rows: [
          [texts.samples, counted(memory?.samples ?? 0n)],
          [texts.peak, bytes(peakRssBytes)],
          [texts.peakShare, percent(shareOf(peakRssBytes, environment?.memoryBytes))],
          [texts.last, bytes(memory?.lastRssBytes)],
          [texts.tensors, bytes(memory?.lastTensorBytes)],
          ...allocatorFacts(memory, texts),
          [texts.slope, slope === undefined ? absent : texts.perMicroStep(bytes(slope))],
        ],
      },
    ],
  };
}

/** Only of a device whose allocator tells. */
function allocatorFacts(
  memory: MemorySummary | undefined,
  texts: Phrases["resource"]["memory"],
): (readonly [string, Cell])[] {
  if (memory?.lastReservedBytes === undefined) return [];
  return [
    [texts.reserved, bytes(memory.lastReservedBytes)],
    [texts.peakReserved, bytes(memory.peakReservedBytes)],
    [texts.tensorsOfReserved, percent(memory.tensorShareOfReserved)],
    [texts.reservedOfDevice, percent(memory.reservedShareOfDevice)],
  ];
}

export function timeSection(report: Report, words: Phrases): Section {
  const { time, training } = report;
  const { time: texts } = words.resource;
  const sentences = timeSentences(report, words);
  return {
    id: "time",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: [
      { kind: "heading", text: texts.analysis },
      ...orNone([{ kind: "list", items: sentences }], sentences.length === 0, words.document.none),
      {
        kind: "table",
        columns: [
          { title: texts.part },
          { title: texts.firstTen, numeric: true },
          { title: texts.all(counted(training?.microSteps ?? 0n)), numeric: true },
          { title: texts.share, numeric: true },
        ],
        rows: stepParts(words).map(([name, part]) => partRow(name, part, time?.meanFirstSteps, time?.meanStep)),
      },
      speeds(time?.tokensPerSecond, time?.positionsPerSecond, texts),
    ],
  };
}

type Part = "dataMs" | "forwardBackwardMs" | "optimizerMs" | "otherMs" | "totalMs";

export function stepParts({ resource: { time } }: Phrases): readonly (readonly [name: string, part: Part])[] {
  return [
    [time.data, "dataMs"],
    [time.forwardBackward, "forwardBackwardMs"],
    [time.optimizer, "optimizerMs"],
    [time.other, "otherMs"],
    [time.total, "totalMs"],
  ];
}

function partRow(name: string, part: Part, first: PhaseTimes | undefined, all: PhaseTimes | undefined): Cell[] {
  const share = all === undefined || all.totalMs === 0 ? undefined : all[part] / all.totalMs;
  return [name, milliseconds(first?.[part]), milliseconds(all?.[part]), percent(share)];
}

function speeds(
  tokensPerSecond: number | undefined,
  positionsPerSecond: number | undefined,
  texts: Phrases["resource"]["time"],
): Block {
  return {
    kind: "facts",
    rows: [
      [texts.tokensPerSecond, fixed(tokensPerSecond, 0)],
      [texts.positionsPerSecond, fixed(positionsPerSecond, 0)],
    ],
  };
}
