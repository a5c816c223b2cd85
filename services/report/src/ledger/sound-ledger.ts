/**
 * Opens a ledger that can be believed. A damaged one, or one of an earlier version, is set aside, never deleted, and a new one
 * takes its place: with what the old one still holds, the streams bring the rest.
 *
 *     ledger.sqlite.new    is written whole, closed
 *     ledger.sqlite-wal    moved first: beside another file it would be taken for that one's
 *     ledger.sqlite        moved to ledger.sqlite.damaged-1, then the new one into its place
 *
 * Death before the last line: the damaged file is found again, or only the new one, which is whole then.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import { ledgerFault } from "./ledger-fault.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";
import { type Salvage, salvage } from "./salvage.ts";

export interface SetAside extends Salvage {
  /** Where the old file is now. */
  readonly path: string;
  /** What is wrong with it. */
  readonly fault: string;
}

export interface SoundLedger {
  readonly ledger: Ledger;
  /** Undefined when the file was as it was left, or was not there. */
  readonly setAside: SetAside | undefined;
}

/** More of them are not kept: the oldest gives way. */
const maximumSetAside = 3;
const companions = ["-wal", "-shm"] as const;

/** @throws FailedPrecondition for a ledger of a later version, which is left as it is; ResourceExhausted as `openLedger` */
export function openSoundLedger(path: string): SoundLedger {
  const replacement = `${path}.new`;
  if (!existsSync(path) && existsSync(replacement)) renameSync(replacement, path);
  const opened = tryToOpen(path);
  if ("ledger" in opened) return { ledger: opened.ledger, setAside: undefined };
  for (const ending of ["", ...companions]) rmSync(replacement + ending, { force: true });
  const salvaged = newLedgerFrom(path, replacement);
  const aside = freePlace(path);
  for (const ending of [...companions, ""]) if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  renameSync(replacement, path);
  syncFolder(dirname(path));
  return { ledger: openLedger(path), setAside: { path: aside, fault: opened.fault, ...salvaged } };
}

function tryToOpen(path: string): { readonly ledger: Ledger } | { readonly fault: string } {
  let ledger: Ledger | undefined;
  try {
    ledger = openLedger(path);
    const fault = ledgerFault(ledger);
    if (fault === undefined) return { ledger };
    ledger[Symbol.dispose]();
    return { fault };
  } catch (error) {
    const isBeyondUse =
      error instanceof FailedPrecondition && ["LEDGER_DAMAGED", "LEDGER_OUTDATED"].includes(error.reason);
    if (isBeyondUse && error instanceof PretrainError) return { fault: error.message };
    throw error;
  }
}

function newLedgerFrom(path: string, replacement: string): Salvage {
  using ledger = openLedger(replacement);
  return salvage(path, ledger);
}

/** The first free name, or the one of the oldest when all are taken. */
function freePlace(path: string): string {
  const places = Array.from({ length: maximumSetAside }, (_, index) => `${path}.damaged-${index + 1}`);
  const free = places.find((place) => !existsSync(place));
  if (free !== undefined) return free;
  const [oldest = path, ...newer] = places;
  for (const [index, place] of [oldest, ...newer].entries()) {
    for (const ending of ["", ...companions]) {
      if (index === 0) rmSync(place + ending, { force: true });
      else if (existsSync(place + ending)) renameSync(place + ending, (places[index - 1] ?? oldest) + ending);
    }
  }
  return places.at(-1) ?? oldest;
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
