/**
 * Copies of the ledger beside everything else that must not be lost, so that one thing has to be backed up: the blob store.
 *
 *     ledger/20261126T223000000Z.sqlite    the file as SQLite's own backup wrote it, while events came in
 *
 * A ledger whose disk is gone begins with the newest of them; the streams bring what has come since (docs/adr/0010).
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { backup } from "node:sqlite";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { BlobStore } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import type { Log, Metrics } from "@pretrain/observability";
import type { Ledger } from "./open-ledger.ts";

/** Older ones give way. */
const copiesKept = 3;

const folder = "ledger/";
const copyPattern = /^ledger\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.sqlite$/;

interface LedgerCopy {
  readonly key: string;
  readonly time: Date;
}

/** Writes a copy into the store, then takes the oldest away. @returns its key. @throws the store's errors, and those of a full disk */
export async function copyLedger(ledger: Pick<Ledger, "database">, path: string, blobs: BlobStore, now: Date) {
  const temporary = `${path}.copy`;
  await rm(temporary, { force: true }); // a process that died in the middle left it
  try {
    await backup(ledger.database, temporary);
    const key = `${folder}${now.toISOString().replaceAll(/[-:.]/g, "")}.sqlite`;
    await blobs.put(key, createReadStream(temporary));
    for (const { key: old } of (await copiesIn(blobs)).slice(copiesKept)) await blobs.delete(old);
    return key;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Puts the newest copy where a ledger is to be and none is. Whether it can be believed is found when it is opened.
 *
 * @returns its key; undefined when a ledger is there, or no copy
 */
export async function restoreLedger(path: string, blobs: BlobStore): Promise<string | undefined> {
  if (existsSync(path) || existsSync(`${path}.new`)) return undefined;
  const [newest] = await copiesIn(blobs);
  if (newest === undefined) return undefined;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.copy`;
  await pipeline(blobs.stream(newest.key), createWriteStream(temporary, { flush: true }));
  renameSync(temporary, path);
  syncFolder(dirname(path));
  return newest.key;
}

interface CopyingOptions {
  readonly ledger: Pick<Ledger, "database">;
  readonly path: string;
  readonly blobs: BlobStore;
  /** Between two copies; 0: none is made. */
  readonly everyMs: number;
  readonly now: () => Date;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How often is looked whether a copy is due: a process may live shorter than the time between two. */
const lookEveryMs = 60_000;

/** Copies whenever the newest copy is older than that, until disposed. One that fails is tried again. */
export async function keepCopying(options: CopyingOptions): Promise<AsyncDisposable> {
  const { everyMs, now, metrics, blobs } = options;
  const stopping = new AbortController();
  const told = metrics.gauge(
    "pretrain_ledger_copied_timestamp_seconds",
    "When the ledger was last copied into the blob store; before the first time, when this process began.",
  );
  const [newest] = await copiesIn(blobs);
  const begun = newest?.time ?? now();
  told(begun.getTime() / 1000);
  const copying = everyMs === 0 ? undefined : copyWhenDue(options, begun, told, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await copying;
    },
  };
}

async function copyWhenDue(
  { ledger, path, blobs, everyMs, now, log }: CopyingOptions,
  begun: Date,
  told: (seconds: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let copiedMs = begun.getTime();
  while (!signal.aborted) {
    const time = now();
    if (time.getTime() - copiedMs >= everyMs) {
      try {
        log.info({ blob: await copyLedger(ledger, path, blobs, time) }, "the ledger was copied into the store");
        copiedMs = time.getTime();
        told(copiedMs / 1000);
      } catch (error) {
        log.error({ reason: messageOf(error) }, "the ledger could not be copied into the store; it is tried again");
      }
    }
    await pause(Math.min(lookEveryMs, everyMs), undefined, { signal }).catch(() => undefined);
  }
}

/** The newest first. What else lies there is none of ours. */
async function copiesIn(blobs: BlobStore): Promise<LedgerCopy[]> {
  const copies: LedgerCopy[] = [];
  for await (const { key } of blobs.list(folder)) {
    const [matched, ...parts] = copyPattern.exec(key) ?? [];
    if (matched === undefined) continue;
    const [year, month, day, hour, minute, second, millisecond] = parts;
    copies.push({ key, time: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`) });
  }
  return copies.sort((a, b) => b.time.getTime() - a.time.getTime());
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
