/**
 * Exports in the store, and what a crash leaves of one:
 *
 *     exports/<id>/begun.json             who began it and when, so that it can be cleared away
 *     experiments/…/holds/export-<id>     the checkpoint stays while it is read
 *     exports/<id>/<digest>.<file>        files that nobody finds
 *     exports/<id>/export.json            the export: written when its proof has passed, its digest covers all of it
 *
 * Asked for again, the same export writes the same files; what nobody asks for again is cleared away a day later.
 */
import { fromJson, type JsonObject, toJson, toJsonString } from "@bufbuild/protobuf";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { type CheckpointId, checkpointName, parseCheckpointName, releaseCheckpoint } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import { type Export, ExportSchema } from "@pretrain/proto";
import { exportFolder, exportName } from "../exports/export-id.ts";

const limitBytes = 2 ** 20;

/** Under which name an export holds its checkpoint. */
export function exportHolder(id: string): string {
  return `export-${id}`;
}

/** Says that an export has begun, before anything is held or written for it. */
export async function beginExport(blobs: BlobStore, id: string, checkpoint: CheckpointId, now: Date): Promise<void> {
  const begun = { checkpoint: checkpointName(checkpoint), time: now.toISOString() };
  await blobs.put(begunKey(id), new TextEncoder().encode(`${JSON.stringify(begun)}\n`));
}

/** Makes the export be there. @returns the one that is: another process may have been faster */
export async function keepExport(blobs: BlobStore, id: string, exported: Export): Promise<Export> {
  const content = new TextEncoder().encode(encoded(exported));
  if (await blobs.create(exportKey(id), content)) return exported;
  const kept = await keptExport(blobs, id);
  if (kept === undefined) {
    await blobs.put(exportKey(id), content); // it was damaged, or lacked a file
    return exported;
  }
  const named = new Set(kept.files.map(({ blob }) => blob));
  for (const { blob } of exported.files) if (!named.has(blob)) await blobs.delete(blob);
  return kept;
}

/** Nothing is left to be cleared away. */
export async function endExport(blobs: BlobStore, id: string): Promise<void> {
  await blobs.delete(begunKey(id));
}

/** Undefined when there is none that is whole: then it is written again. @throws the store's errors */
export async function keptExport(blobs: BlobStore, id: string): Promise<Export | undefined> {
  try {
    const kept = await readExport(blobs, id);
    for (const { blob, sizeBytes } of kept.files) {
      if ((await blobs.stat(blob))?.sizeBytes !== Number(sizeBytes)) return undefined;
    }
    return kept;
  } catch (error) {
    if (error instanceof NotFound || error instanceof DataLoss) return undefined;
    throw error;
  }
}

/** @throws NotFound when there is none; DataLoss when it is damaged */
export async function readExport(blobs: BlobStore, id: string): Promise<Export> {
  const name = exportName(id);
  const found = await blobs.stat(exportKey(id));
  if (found === undefined) throw new NotFound("EXPORT_NOT_FOUND", `there is no export ${name}`, { name });
  if (found.sizeBytes <= limitBytes) {
    const exported = decoded(await blobs.read(exportKey(id)));
    if (exported?.name === name) return exported;
  }
  throw new DataLoss("EXPORT_DAMAGED", `${exportKey(id)} is damaged; export the checkpoint again`, { name });
}

/** Longer than an export can take. */
const abandonedAfterMs = 24 * 60 * 60_000;

/** Clears away what exports left that a crash ended, a day after they began. @returns how many those were */
export async function sweepAbandonedExports(blobs: BlobStore, now: Date): Promise<number> {
  let abandoned = 0;
  for await (const { key } of blobs.list("exports/")) {
    const [, id] = begunPattern.exec(key) ?? [];
    if (id === undefined || !(await isAbandoned(blobs, key, now))) continue;
    await clearAway(blobs, id, key);
    abandoned += 1;
  }
  return abandoned;
}

const begunPattern = /^exports\/([^/]+)\/begun\.json$/;

async function isAbandoned(blobs: BlobStore, key: string, now: Date): Promise<boolean> {
  const { time } = await readBegun(blobs, key);
  return !(now.getTime() - time.getTime() < abandonedAfterMs); // an unreadable time is none that protects
}

async function clearAway(blobs: BlobStore, id: string, begun: string): Promise<void> {
  const { checkpoint } = await readBegun(blobs, begun);
  if (checkpoint !== undefined) await releaseCheckpoint(blobs, checkpoint, exportHolder(id));
  if ((await keptExport(blobs, id)) === undefined) {
    for await (const { key } of blobs.list(exportFolder(id))) if (key !== begun) await blobs.delete(key);
  }
  await blobs.delete(begun); // last: a crash before it leaves the rest to the next sweep
}

async function readBegun(blobs: BlobStore, key: string): Promise<{ time: Date; checkpoint: CheckpointId | undefined }> {
  try {
    const { checkpoint, time }: JsonObject = JSON.parse(Buffer.from(await blobs.read(key)).toString());
    if (typeof time !== "string" || typeof checkpoint !== "string") throw new TypeError("no time, or no checkpoint");
    return { time: new Date(time), checkpoint: parseCheckpointName(checkpoint) };
  } catch {
    return { time: new Date(Number.NaN), checkpoint: undefined };
  }
}

function begunKey(id: string): string {
  return `${exportFolder(id)}begun.json`;
}

function exportKey(id: string): string {
  return `${exportFolder(id)}export.json`;
}

function encoded(exported: Export): string {
  return `${JSON.stringify({ sha256: digestOf(exported), export: toJson(ExportSchema, exported) }, null, 2)}\n`;
}

function decoded(bytes: Uint8Array): Export | undefined {
  try {
    const content: JsonObject = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const exported = fromJson(ExportSchema, content["export"] ?? null);
    return content["sha256"] === digestOf(exported) ? exported : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(exported: Export): string {
  return sha256Hex(new TextEncoder().encode(toJsonString(ExportSchema, exported)));
}
