/** Whether a worker must be started for the events that an earlier one left in the spool. */
import { spoolContent } from "@pretrain/spool";

/** How often the ledger is asked for what is only kept for it: it may be away for long, and a start costs a second. */
const askAgainMs = 5 * 60_000;

/** @param nowMs a clock that only runs forwards */
export function leftoverEvents(folder: string, nowMs: () => number = () => performance.now()): () => boolean {
  let askedMs = nowMs();
  return () => {
    const content = spoolContent(folder);
    if (content !== "kept") return content === "unsent"; // it stands between an experiment and a complete record
    if (nowMs() < askedMs + askAgainMs) return false;
    askedMs = nowMs();
    return true;
  };
}
