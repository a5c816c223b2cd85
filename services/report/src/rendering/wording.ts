/** Words for states and verdicts. Each has a sign of its own, so that a print without colours says the same. */
import { Experiment_Reason, Experiment_State, type Target, Verdict } from "@pretrain/proto";
import { metricValue } from "./figures.ts";
import type { Cell } from "./record-document.ts";

const verdictCells: Readonly<Record<Verdict, Cell>> = {
  [Verdict.UNSPECIFIED]: { text: "no target", tone: "quiet" },
  [Verdict.MET]: { text: "✓ met", tone: "good" },
  [Verdict.EXCELLENT]: { text: "★ excellent", tone: "good" },
  [Verdict.MISSED]: { text: "✗ missed", tone: "bad" },
  [Verdict.UNDECIDED]: { text: "… undecided", tone: "open" },
};

export function verdictCell(verdict: Verdict): Cell {
  return verdictCells[verdict] ?? "unknown";
}

/** Of a hypothesis: its rules are met or missed, itself is confirmed or refuted. */
export function hypothesisCell(verdict: Verdict): Cell {
  if (verdict === Verdict.MET) return { text: "✓ confirmed", tone: "good" };
  return verdict === Verdict.MISSED ? { text: "✗ refuted", tone: "bad" } : verdictCell(verdict);
}

export function targetText(target: Target | undefined): string {
  if (target === undefined) return "";
  const sign = comparisonSigns[target.comparison] ?? target.comparison;
  const bound = `${sign} ${metricValue(target.metric, target.value)}`;
  if (target.excellent === undefined) return bound;
  return `${bound} (excellent: ${sign} ${metricValue(target.metric, target.excellent)})`;
}

const comparisonSigns: Readonly<Record<string, string>> = { "<=": "≤", ">=": "≥" };

const stateWords: ReadonlyMap<number, string> = namesOf(Experiment_State);
const reasonWords: ReadonlyMap<number, string> = namesOf(Experiment_Reason);

/** `COMPLETED`; `–` before the first. */
export function stateName(state: Experiment_State | undefined): string {
  return state ? (stateWords.get(state) ?? `STATE ${state}`) : "–";
}

/** `WORKER_LOST`; empty where there is nothing to explain. */
export function reasonName(reason: Experiment_Reason | undefined): string {
  return reason ? (reasonWords.get(reason) ?? `REASON ${reason}`) : "";
}

export function stateCell(state: Experiment_State | undefined): Cell {
  const text = stateName(state);
  switch (state) {
    case Experiment_State.COMPLETED:
      return { text: `✓ ${text}`, tone: "good" };
    case Experiment_State.FAILED:
      return { text: `✗ ${text}`, tone: "bad" };
    case Experiment_State.CANCELLED:
    case Experiment_State.INTERRUPTED:
    case Experiment_State.PAUSED:
      return { text: `! ${text}`, tone: "open" };
    default:
      return text;
  }
}

function namesOf(values: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([name, value]) => [value, name]));
}
