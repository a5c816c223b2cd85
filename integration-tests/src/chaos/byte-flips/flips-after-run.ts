/** The flips of a run: everything that its system has left on the disk, and a spool made of its events. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ledgerContent } from "../oracle/event-rows.ts";
import { type FlipCounts, flipBytes } from "./flip-bytes.ts";
import { ledgerReader } from "./ledger-reader.ts";
import { ledger, specimensIn, spool } from "./specimens.ts";

const spooledRecords = 400;

/** @param folder of the run, whose system was stopped */
export async function flipsAfterRun(
  folder: string,
  flips: number,
  seed: string,
): Promise<ReadonlyMap<string, FlipCounts>> {
  const state = join(folder, "state");
  const { events } = ledgerContent(join(state, "report", "ledger.sqlite"), "reference");
  const spoolFolder = join(folder, "spool-of-flips");
  mkdirSync(spoolFolder);
  const records = events.slice(0, spooledRecords).map(({ kind, payload }) => `${kind} ${JSON.stringify(payload)}`);
  const reader = await ledgerReader(folder);
  return await flipBytes(
    [...specimensIn(state), spool(spoolFolder, records), ledger(reader.state, "reference", () => reader.serve())],
    flips,
    seed,
  );
}
