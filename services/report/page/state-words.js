/** States and verdicts as people read them: a sign, a word, a tone. Never a colour alone. */
import { words } from "./language/words.js";

/** @type {Readonly<Record<string, { sign: string, tone: string }>>} */
const signs = {
  QUEUED: { sign: "○", tone: "quiet" },
  PREPARING: { sign: "◔", tone: "busy" },
  RUNNING: { sign: "●", tone: "busy" },
  COMPLETED: { sign: "✓", tone: "good" },
  FAILED: { sign: "✗", tone: "bad" },
  CANCELLED: { sign: "⊘", tone: "open" },
  PAUSED: { sign: "‖", tone: "open" },
  INTERRUPTED: { sign: "!", tone: "open" },
};

/** @param {string} state */
export function stateWord(state) {
  /** @type {Readonly<Record<string, string>>} */
  const named = words().states;
  return { ...(signs[state] ?? { sign: "?", tone: "quiet" }), word: named[state] ?? state.toLowerCase() };
}

/** @param {string | undefined} reason name of `Experiment.Reason`; one that the page does not know is shown as it is named */
export function reasonWord(reason) {
  /** @type {Readonly<Record<string, string>>} */
  const named = words().reasons;
  return reason === undefined ? "" : (named[reason] ?? reason.toLowerCase());
}

/** @param {import("./api.js").VerdictCounts} counts */
export function verdictWord({ targets, met, missed }) {
  const { noTargets, targetsMissed, targetsMet } = words();
  if (targets === 0) return { sign: "", word: noTargets, tone: "quiet" };
  if (missed > 0) return { sign: "✗", word: targetsMissed(missed, targets), tone: "bad" };
  const isMet = met === targets;
  return { sign: isMet ? "✓" : "…", word: targetsMet(met, targets), tone: isMet ? "good" : "open" };
}
