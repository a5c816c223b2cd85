/** Whether there is anything of an experiment. */
import type { Ledger } from "./open-ledger.ts";

export function isKnown({ database }: Ledger, experiment: string): boolean {
  return database.prepare("SELECT 1 FROM events WHERE experiment = ? LIMIT 1").get(experiment) !== undefined;
}
