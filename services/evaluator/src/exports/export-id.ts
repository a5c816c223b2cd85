/** The name of an export follows from what is written and how, so that asking twice is asking for the same. */
import { createHash } from "node:crypto";
import type { CheckpointId } from "@pretrain/checkpoint";
import type { ExportFormatName } from "../worker/protocol.ts";

const collection = "exports/";

export interface ExportSubject {
  readonly checkpoint: CheckpointId;
  /** Of its manifest, in hex. */
  readonly checkpointSha256: string;
  readonly format: ExportFormatName;
  /** 0: heads as they are. */
  readonly padHeadDim: number;
}

/** Raised when the same checkpoint is written in other bytes than before: an older export stays what it is, under its own name. */
const layout = 1;

/** `{experiment}-{micro-step}-{format}-{12 hex digits}` of everything that decides the files. */
export function exportId({ checkpoint, checkpointSha256, format, padHeadDim }: ExportSubject): string {
  const content = JSON.stringify([layout, checkpointSha256, format, padHeadDim]);
  const digits = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return `${checkpoint.experiment}-${checkpoint.microStep}-${format}-${digits}`;
}

export function exportName(id: string): string {
  return `${collection}${id}`;
}

export function idOfExportName(name: string): string {
  return name.slice(collection.length);
}

/** What the keys of its blobs begin with. */
export function exportFolder(id: string): string {
  return `${collection}${id}/`;
}
