/** States as people read them: a sign, a word, a tone. Never a colour alone. */

/** @type {Readonly<Record<string, { sign: string, word: string, tone: string }>>} */
const words = {
  QUEUED: { sign: "○", word: "queued", tone: "quiet" },
  PREPARING: { sign: "◔", word: "preparing", tone: "busy" },
  RUNNING: { sign: "●", word: "running", tone: "busy" },
  COMPLETED: { sign: "✓", word: "completed", tone: "good" },
  FAILED: { sign: "✗", word: "failed", tone: "bad" },
  CANCELLED: { sign: "⊘", word: "cancelled", tone: "open" },
  PAUSED: { sign: "‖", word: "paused", tone: "open" },
  INTERRUPTED: { sign: "!", word: "interrupted", tone: "open" },
};

/** @param {string} state */
export function stateWord(state) {
  return words[state] ?? { sign: "?", word: state.toLowerCase(), tone: "quiet" };
}

/**
 * `3 of 4 targets met`, with a sign and a tone.
 * @param {import("./api.js").VerdictCounts} counts
 */
export function verdictWord({ targets, met, missed }) {
  if (targets === 0) return { sign: "", word: "no targets", tone: "quiet" };
  if (missed > 0) return { sign: "✗", word: `${missed} of ${targets} targets missed`, tone: "bad" };
  const word = `${met} of ${targets} targets met`;
  return met === targets ? { sign: "✓", word, tone: "good" } : { sign: "…", word, tone: "open" };
}
