/**
 * What lies on the disk and is read back one day, and how it is read: with the program's own readers. What a reader returns is
 * written down as text, so that two readings can be compared.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { openBlobs, sha256Hex, verifiedRead } from "@pretrain/blobs";
import { listCheckpoints, readCheckpointState, readClaim, verifyCheckpoint } from "@pretrain/checkpoint";
import { readLosses } from "@pretrain/losses";
import { openShards } from "@pretrain/shards";
import { openSpool, type SpoolRecord } from "@pretrain/spool";
import { ledgerContent } from "../oracle/event-rows.ts";

/** What a reader gave, or that it noticed something. */
export type Reading = { readonly content: string } | { readonly noticed: string };

export interface Specimen {
  readonly name: string;
  readonly files: readonly string[];
  /** Reads everything that the files hold. An error counts as noticed, too. */
  read(): Promise<Reading>;
  /** Reading takes seconds: its turn comes less often. */
  readonly isSlow?: boolean;
  /** Whether nothing is missing from a reading that was in the one of whole files. Equal, if absent. */
  readonly holds?: (original: string, found: string) => boolean;
}

/** @param state the folder of a system that was stopped */
export function specimensIn(state: string): Specimen[] {
  const blobs = join(state, "blobs");
  const experiments = readdirSync(join(blobs, "experiments"));
  return [
    ...experiments.flatMap((id) => [checkpoints(blobs, id), claims(blobs, id), ...keptLosses(blobs, id)]),
    ...readdirSync(join(blobs, "datasets")).map((id) => dataset(blobs, id)),
    ...filesBelow(join(blobs, "tokenizers")).map((file) => tokenizer(blobs, file)),
  ].filter(({ files }) => files.length > 0);
}

/** Which checkpoints there are, that each loads, and what its state says. */
function checkpoints(blobs: string, id: string): Specimen {
  const folder = join(blobs, "experiments", id, "checkpoints");
  const store = openBlobs(pathToFileURL(blobs).href);
  return {
    name: "checkpoint",
    files: filesBelow(folder),
    async read() {
      const { checkpoints: listed, damaged, damagedClaims } = await listCheckpoints(store, id);
      const [noticed] = [...damaged.map(({ fault }) => fault), ...damagedClaims];
      if (noticed !== undefined) return { noticed: noticed.message };
      const states = [];
      for (const sealed of listed) {
        await verifyCheckpoint(store, sealed);
        states.push(await readCheckpointState(store, sealed), sealed.manifest.parts, sealed.manifest.final);
      }
      return { content: JSON.stringify(states) };
    },
  };
}

/** What decides which checkpoints count, and what the ledger and the next attempt ask of it. */
function claims(blobs: string, id: string): Specimen {
  const files = filesBelow(join(blobs, "experiments", id, "attempts"));
  const store = openBlobs(pathToFileURL(blobs).href);
  return {
    name: "claim",
    files,
    async read() {
      const read = files.map((file) => readClaim(store, id, Number(basename(file, ".json"))));
      return { content: JSON.stringify(await Promise.all(read)) };
    },
  };
}

/** The losses of every token, by the name and the digest that their evaluation keeps. */
function keptLosses(blobs: string, id: string): Specimen[] {
  const store = openBlobs(pathToFileURL(blobs).href);
  const results = filesBelow(join(blobs, "experiments", id, "evaluations")).filter((file) => file.endsWith(".json"));
  return results.flatMap((file) => {
    const { evaluation } = JSON.parse(readFileSync(file, "utf8"));
    if (evaluation.lossesBlob === undefined) return []; // of a damaged checkpoint: it has no numbers
    const stored = { blob: String(evaluation.lossesBlob), sha256: String(evaluation.lossesSha256) };
    return {
      name: "losses",
      files: [join(blobs, stored.blob)],
      read: async () => ({ content: JSON.stringify((await readLosses(store, stored)).rows) }),
    };
  });
}

/** Every row of both splits, and the parts beside them. */
function dataset(blobs: string, id: string): Specimen {
  const store = openBlobs(pathToFileURL(blobs).href);
  const files = filesBelow(join(blobs, "datasets", id));
  let identity: string | undefined;
  return {
    name: "dataset",
    files,
    async read() {
      identity ??= sha256Hex(await store.read(`datasets/${id}/manifest.json`)); // as the dataset's record has it
      const shards = await openShards(store, id, identity);
      const hashes = [];
      for (const split of ["train", "validation"] as const) {
        const count = shards.manifest.splits[split].shards.reduce((sum, { rows }) => sum + rows, 0);
        const rows = await shards.readRows(
          split,
          Array.from({ length: count }, (_, row) => row),
        );
        hashes.push(sha256Hex(Buffer.concat(rows.map(({ buffer }) => Buffer.from(buffer)))));
      }
      for (const { name } of shards.manifest.otherParts) hashes.push(sha256Hex(await shards.readPart(name)));
      return { content: hashes.join() };
    },
  };
}

/** Named by its digest. */
function tokenizer(blobs: string, file: string): Specimen {
  const store = openBlobs(pathToFileURL(blobs).href);
  const sha256 = basename(file, ".json");
  return {
    name: "tokenizer",
    files: [file],
    read: async () => ({ content: sha256Hex(await verifiedRead(store, `tokenizers/${basename(file)}`, sha256)) }),
  };
}

/** A spool as a killed worker leaves it: some records sent, some confirmed, most neither. @param folder an empty one */
export function spool(folder: string, records: readonly string[]): Specimen {
  const original = join(folder, "original");
  {
    using written = openSpool(original, { limitBytes: 2 ** 26 });
    for (const record of records) written.append(Buffer.from(record));
    written.markSent(Math.floor(records.length / 2));
    written.confirm(Math.floor(records.length / 4));
  }
  const opened = join(folder, "opened"); // opening mends what it finds, so each reading gets a copy
  return {
    name: "spool",
    files: filesBelow(original).filter((file) => !file.endsWith("/lock")),
    async read() {
      rmSync(opened, { recursive: true, force: true });
      cpSync(original, opened, { recursive: true });
      using found = openSpool(opened, { limitBytes: 2 ** 26 });
      const [loss] = found.losses;
      if (loss !== undefined) return { noticed: `${loss.sizeBytes} bytes at ${loss.offset} cannot be believed` };
      const textsOf = (kept: readonly SpoolRecord[]) => kept.map(({ bytes }) => Buffer.from(bytes).toString("latin1"));
      const content = { sent: textsOf(found.toConfirm(records.length)), unsent: textsOf(found.toSend(records.length)) };
      return { content: JSON.stringify(content) };
    },
    holds: keepsAll,
  };
}

/** What was sent may be sent again; what was not sent must be, and what nobody has confirmed must still be there. */
function keepsAll(original: string, found: string): boolean {
  type Content = Readonly<Record<"sent" | "unsent", readonly string[]>>;
  const [before, after]: Content[] = [JSON.parse(original), JSON.parse(found)];
  const unsent = new Set(after?.unsent);
  const kept = new Set([...(after?.sent ?? []), ...unsent]);
  return (
    before?.unsent.every((record) => unsent.has(record)) === true && before.sent.every((record) => kept.has(record))
  );
}

/** The ledger as the report service finds it at its start: it may build it again from the streams. */
export function ledger(state: string, experiment: string, served: () => Promise<void>): Specimen {
  const folder = join(state, "report");
  return {
    name: "ledger",
    isSlow: true,
    files: [join(folder, "ledger.sqlite")],
    async read() {
      await served();
      const { events, contradictions } = ledgerContent(join(folder, "ledger.sqlite"), experiment);
      const lines = events.map(({ id, payload }) => `${id} ${JSON.stringify(payload)}`).sort();
      return { content: JSON.stringify([...lines, ...contradictions]) };
    },
    // Built again, it may hold the announcement of one more record beside all that it held.
    holds: (original, found) => new Set<string>(JSON.parse(original)).isSubsetOf(new Set<string>(JSON.parse(found))),
  };
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
