/** What has come into the ledger since somebody last looked. */
import type { Ledger } from "../ledger/open-ledger.ts";
import { readSteps } from "../ledger/read-steps.ts";
import type { Step } from "../record/history.ts";
import { lossOf } from "../record/step-reader.ts";

/** New steps as columns, ready to be appended to a chart; `null` where a step has no such value. */
export interface NewSteps {
  readonly microStep: readonly number[];
  readonly loss: readonly (number | null)[];
  readonly learningRate: readonly number[];
  readonly gradientNorm: readonly (number | null)[];
  readonly tokensPerSecond: readonly number[];
  readonly dataSeconds: readonly number[];
  readonly forwardBackwardSeconds: readonly number[];
  readonly optimizerSeconds: readonly number[];
  readonly otherSeconds: readonly number[];
  /** Where in the run each lies, as on a curve. */
  readonly tokens: readonly number[];
  readonly seconds: readonly number[];
}

export interface Changes {
  /** Where to look from the next time. */
  readonly position: number;
  /** So much has come that it is quicker to ask for everything again. */
  readonly isTooMuch: boolean;
  /** A transition of any experiment, or the first event of a new one. */
  readonly hasTransition: boolean;
  /** Of the experiment looked at: something other than a step or a sample. */
  readonly hasFacts: boolean;
  /** Of the experiment looked at: an attempt began, so that steps may have been replaced. */
  readonly hasAttempt: boolean;
  readonly steps: NewSteps;
}

const maximumEvents = 2000;

/** The position of the newest event; 0 in an empty ledger. */
export function lastPosition({ database }: Ledger): number {
  return Number(database.prepare("SELECT MAX(position) AS last FROM events").get()?.["last"] ?? 0);
}

export function changesAfter(ledger: Ledger, position: number, experiment: string | undefined): Changes {
  const rows = ledger.database
    .prepare("SELECT position, experiment, kind, number FROM events WHERE position > ? ORDER BY position LIMIT ?")
    .all(position, maximumEvents + 1)
    .map((row) => ({
      position: Number(row["position"]),
      experiment: row["experiment"],
      kind: String(row["kind"]),
      number: Number(row["number"]),
    }));
  const isTooMuch = rows.length > maximumEvents;
  const own = rows.filter((row) => row.experiment === experiment);
  return {
    position: isTooMuch ? lastPosition(ledger) : (rows.at(-1)?.position ?? position),
    isTooMuch,
    hasTransition: rows.some(({ kind }) => kind === "state"),
    hasFacts: own.some(({ kind }) => !sampled.has(kind)),
    hasAttempt: own.some(({ kind }) => kind === "attempt"),
    steps: newSteps(
      ledger,
      experiment,
      isTooMuch ? [] : own.filter(({ kind }) => kind === "step").map(({ number }) => number),
    ),
  };
}

const sampled: ReadonlySet<string> = new Set(["step", "memory", "profile"]);

function newSteps(ledger: Ledger, experiment: string | undefined, numbers: readonly number[]): NewSteps {
  const wanted = new Set(numbers);
  if (experiment === undefined || wanted.size === 0) return columnsOf([], 0);
  const [from, to] = [Math.min(...numbers), Math.max(...numbers)];
  const steps = [...readSteps(ledger, experiment, from, to)].filter(({ microStep }) => wanted.has(microStep));
  return columnsOf(steps, beginMs(ledger, experiment));
}

/** When the first step of the run began. */
function beginMs(ledger: Ledger, experiment: string): number {
  for (const { timeMs, totalMs } of readSteps(ledger, experiment)) return timeMs - totalMs; // the first alone is read
  return 0;
}

function columnsOf(steps: readonly Step[], beginMs: number): NewSteps {
  return {
    microStep: steps.map(({ microStep }) => microStep),
    loss: steps.map((step) => lossOf(step) ?? null),
    learningRate: steps.map(({ learningRate }) => learningRate),
    gradientNorm: steps.map(({ gradientNorm }) => gradientNorm),
    tokensPerSecond: steps.map(({ tokens, totalMs }) => (totalMs > 0 ? tokens / (totalMs / 1000) : 0)),
    dataSeconds: steps.map(({ dataMs }) => dataMs / 1000),
    forwardBackwardSeconds: steps.map(({ forwardBackwardMs }) => forwardBackwardMs / 1000),
    optimizerSeconds: steps.map(({ optimizerMs }) => optimizerMs / 1000),
    otherSeconds: steps.map(({ otherMs }) => otherMs / 1000),
    tokens: steps.map(({ tokensSeen }) => tokensSeen),
    seconds: steps.map(({ timeMs }) => (timeMs - beginMs) / 1000),
  };
}
