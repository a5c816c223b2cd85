/** I5: whether an experiment's history of states is one that may happen. */
import { type EventRow, numberAt, textAt } from "./event-rows.ts";
import type { Evidence } from "./evidence.ts";

/** Written down apart from the trainer's own table, so that a fault in that one is seen here. */
const legal: Readonly<Record<string, readonly string[]>> = {
  "": ["QUEUED"],
  QUEUED: ["PREPARING", "PAUSED", "CANCELLED"],
  PREPARING: ["RUNNING", "PAUSED", "INTERRUPTED", "FAILED", "CANCELLED"],
  RUNNING: ["PAUSED", "INTERRUPTED", "COMPLETED", "FAILED", "CANCELLED"],
  INTERRUPTED: ["PREPARING", "PAUSED", "FAILED", "CANCELLED"],
  PAUSED: ["QUEUED", "CANCELLED"],
};

/** Transitions that do not follow from the one before, numbers that are missing, and histories without an end. */
export function illegalTransitions({ ledger, isRolledBack }: Pick<Evidence, "ledger" | "isRolledBack">): string[] {
  const transitions = ledger
    .filter(({ kind }) => kind === "state")
    .sort((a, b) => numberAt(a.payload, "sequence") - numberAt(b.payload, "sequence"));
  const faults: string[] = [];
  let state = "";
  for (const [index, { id, payload }] of transitions.entries()) {
    const [from, to] = [nameAt(payload, "from"), nameAt(payload, "to")];
    if (numberAt(payload, "sequence") !== index + 1)
      faults.push(`${id} is transition ${index + 1} of those that are known`);
    if (from !== state || !legal[from]?.includes(to)) faults.push(`${id} leads from ${from} to ${to}, after ${state}`);
    state = to;
  }
  if (isRolledBack) faults.length = 0; // an older broker gives numbers again that were given before
  return state === "COMPLETED" ? faults : [...faults, `the last known state is ${state}, not COMPLETED`];
}

function nameAt(payload: EventRow["payload"], path: string): string {
  return textAt(payload, path).replace("STATE_", "").replace("UNSPECIFIED", "");
}
