/** Cells for states, verdicts and targets. Each has a sign of its own, so that a print without colours says the same. */
import { Experiment_Reason, Experiment_State, type Target, Verdict } from "@pretrain/proto";
import { metricValue } from "./figures.ts";
import type { Phrases } from "./language/phrases.ts";
import type { Cell } from "./record-document.ts";

export function verdictCell(verdict: Verdict, { word }: Phrases): Cell {
  switch (verdict) {
    case Verdict.UNSPECIFIED:
      return { text: word.noTarget, tone: "quiet" };
    case Verdict.MET:
      return { text: word.met, tone: "good" };
    case Verdict.EXCELLENT:
      return { text: word.excellent, tone: "good" };
    case Verdict.MISSED:
      return { text: word.missed, tone: "bad" };
    case Verdict.UNDECIDED:
      return { text: word.undecided, tone: "open" };
    default:
      return word.unknown;
  }
}

/** Of a hypothesis: its rules are met or missed, itself is confirmed or refuted. */
export function hypothesisCell(verdict: Verdict, words: Phrases): Cell {
  if (verdict === Verdict.MET) return { text: words.word.confirmed, tone: "good" };
  return verdict === Verdict.MISSED ? { text: words.word.refuted, tone: "bad" } : verdictCell(verdict, words);
}

export function targetText(target: Target | undefined, { word }: Phrases): string {
  if (target === undefined) return "";
  const sign = comparisonSigns[target.comparison] ?? target.comparison;
  const bound = `${sign} ${metricValue(target.metric, target.value)}`;
  if (target.excellent === undefined) return bound;
  return bound + word.excellentBound(`${sign} ${metricValue(target.metric, target.excellent)}`);
}

const comparisonSigns: Readonly<Record<string, string>> = { "<=": "≤", ">=": "≥" };

const apiNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Experiment_State).map(([name, value]) => [Number(value), name]),
);

/** As the API names it, `COMPLETED`; `–` before the first. */
export function stateName(state: Experiment_State | undefined): string {
  return state ? (apiNames.get(state) ?? `STATE ${state}`) : "–";
}

/** In the record's language; as the API names it where it has no word. */
export function stateText(state: Experiment_State | undefined, { word }: Phrases): string {
  return word.states[state ?? Experiment_State.UNSPECIFIED] ?? stateName(state);
}

/** Empty where there is nothing to explain. */
export function reasonText(reason: Experiment_Reason | undefined, { word }: Phrases): string {
  return word.reasons[reason ?? Experiment_Reason.UNSPECIFIED] ?? `REASON ${reason}`;
}

export function stateCell(state: Experiment_State | undefined, words: Phrases): Cell {
  const text = stateText(state, words);
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
