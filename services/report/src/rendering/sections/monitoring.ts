/** What was watched while it ran: early figures, lines of the log, warnings by rules. */
import {
  Warning_Kind as Kind,
  type LogLine,
  LogLine_Level,
  type PhaseTimes,
  type Report,
  type Warning,
} from "@pretrain/proto";
import { bytes, counted, duration, fixed, loss, milliseconds, moment, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";
import { stateCell } from "../wording.ts";
import { stepParts } from "./resources.ts";

export function monitoringSection({ execution, training, time, recipe }: Report, words: Phrases): Section {
  const { monitoring } = words.execution;
  const { profileInterval, memoryMonitorInterval } = recipe?.monitoring ?? {};
  const intervals = [profileInterval, memoryMonitorInterval].map((interval) => String(interval ?? "–"));
  return {
    id: "monitoring",
    title: monitoring.title,
    origin: "measured",
    source: monitoring.source,
    blocks: [
      {
        kind: "facts",
        rows: [
          [words.execution.state, stateCell(execution?.state, words)],
          [monitoring.microSteps, counted(training?.microSteps ?? 0n)],
          [monitoring.runningTime, duration(time?.trainingSeconds)],
          [monitoring.lastLoss, loss(training?.lastLoss)],
          [monitoring.intervals, monitoring.samples(intervals[0] ?? "", intervals[1] ?? "")],
          [monitoring.tracking, monitoring.trackingAnswer],
        ],
      },
      { kind: "heading", text: monitoring.early },
      earlyTable(time?.meanFirstSteps, words),
    ],
  };
}

function earlyTable(first: PhaseTimes | undefined, words: Phrases): Block {
  const { monitoring } = words.execution;
  return {
    kind: "table",
    columns: [{ title: monitoring.part }, { title: monitoring.firstTen, numeric: true }],
    rows: stepParts(words).map(([name, part]) => [name, milliseconds(first?.[part])]),
  };
}

export function logSection({ log }: Report, words: Phrases): Section {
  const { log: texts } = words.execution;
  return {
    id: "log",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: orNone([logTable(log, words)], log.length === 0, words.document.none),
  };
}

function logTable(log: readonly LogLine[], words: Phrases): Block {
  const { execution: texts } = words;
  return {
    kind: "table",
    columns: [
      { title: texts.when },
      { title: texts.attempt, numeric: true },
      { title: texts.log.microStep, numeric: true },
      { title: texts.log.level },
      { title: texts.message },
    ],
    rows: log.map((line): Cell[] => [
      moment(line.time),
      String(line.attempt),
      counted(line.microStep),
      levelCell(line.level, words),
      { words: line.message },
    ]),
  };
}

function levelCell(level: LogLine_Level, { word: { levels } }: Phrases): Cell {
  if (level === LogLine_Level.ERROR) return { text: levels.error, tone: "bad" };
  return level === LogLine_Level.WARNING
    ? { text: levels.warning, tone: "open" }
    : { text: levels.info, tone: "quiet" };
}

export function warningsSection({ warnings }: Report, words: Phrases): Section {
  const { warnings: texts } = words.proof;
  return {
    id: "warnings",
    title: texts.title,
    origin: "generated",
    source: texts.source,
    blocks: orNone([warningTable(warnings, words)], warnings.length === 0, texts.none),
  };
}

function warningTable(warnings: readonly Warning[], words: Phrases): Block {
  const { warnings: texts } = words.proof;
  return {
    kind: "table",
    columns: [
      { title: texts.what },
      { title: texts.microSteps },
      { title: texts.value, numeric: true },
      { title: texts.bound, numeric: true },
    ],
    rows: warnings.map((warning): Cell[] => [
      { text: `! ${warningText(warning, words)}`, tone: "open" },
      rangeText(warning),
      amountText(warning.kind, warning.value, texts),
      amountText(warning.kind, warning.bound, texts),
    ]),
  };
}

function rangeText({ firstMicroStep, lastMicroStep }: Warning): string {
  const first = counted(firstMicroStep);
  return firstMicroStep === lastMicroStep ? first : `${first}–${counted(lastMicroStep)}`;
}

export function warningText({ kind }: Warning, { proof: { warnings: texts }, word }: Phrases): string {
  const names: Readonly<Record<Kind, string>> = {
    [Kind.UNSPECIFIED]: word.unknown,
    [Kind.SPIKE]: texts.spike,
    [Kind.PLATEAU]: texts.plateau,
    [Kind.DIVERGENCE]: texts.divergence,
    [Kind.NOT_FINITE]: texts.notFinite,
    [Kind.SLOW_DATA]: texts.slowData,
    [Kind.MEMORY_GROWTH]: texts.memoryGrowth,
    [Kind.CLIPPING]: texts.clipping,
  };
  return names[kind] ?? word.unknown;
}

/** In the unit of its kind. */
function amountText(kind: Kind, value: number | undefined, texts: Phrases["proof"]["warnings"]): string {
  if (value === undefined) return "–";
  switch (kind) {
    case Kind.SPIKE:
      return texts.deviations(fixed(value, 1));
    case Kind.PLATEAU:
      return texts.slope(loss(value));
    case Kind.DIVERGENCE:
      return texts.nats(loss(value));
    case Kind.SLOW_DATA:
    case Kind.CLIPPING:
      return percent(value);
    case Kind.MEMORY_GROWTH:
      return texts.bytes(bytes(value));
    default:
      return fixed(value, 4);
  }
}
