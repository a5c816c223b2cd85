/** Whether a worker must be started for the events that an earlier one left in the spool. */
import { spoolContent } from "@pretrain/spool";

/** When the ledger is asked for what is only kept for it: soon, then more and more seldom; it may be away for long. */
const firstPauseMs = 15_000;
const longestPauseMs = 10 * 60_000;

/** @param nowMs a clock that only runs forwards */
export function leftoverEvents(folder: string, nowMs: () => number = () => performance.now()): () => boolean {
  let [askedMs, pauseMs] = [nowMs(), firstPauseMs];
  return () => {
    const content = spoolContent(folder);
    if (content === "unsent") return true; // it stands between an experiment and a complete record
    if (content === "nothing") [askedMs, pauseMs] = [nowMs(), firstPauseMs];
    if (nowMs() < askedMs + pauseMs) return false;
    [askedMs, pauseMs] = [nowMs(), Math.min(longestPauseMs, 2 * pauseMs)];
    return true;
  };
}
