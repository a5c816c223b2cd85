/** A record as it was published: the bytes of its files, and what its report.json says, as far as that can be read. */
import { fromJsonString } from "@bufbuild/protobuf";
import type { BlobStore } from "@pretrain/blobs";
import { sha256Hex } from "@pretrain/blobs";
import { ResourceExhausted } from "@pretrain/errors";
import { type Report, ReportSchema } from "@pretrain/proto";
import { recordDocuments } from "../rendering/render-record.ts";

export const recordFileNames: readonly string[] = ["report.json", ...Object.keys(recordDocuments)];

/** Of one file. A record of a long run has some megabytes. */
export const recordFileLimitBytes = 256 * 2 ** 20;

export interface PublishedRecord {
  /** By name; what is not there is not in it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** SHA-256 of report.json in hex; empty when it is not there. */
  readonly sha256: string;
  /** Undefined when report.json is not there, or no record. */
  readonly report: Report | undefined;
}

/** @throws ResourceExhausted when a file is longer than any record; as `BlobStore.read` */
export async function readPublishedRecord(blobs: BlobStore, experiment: string): Promise<PublishedRecord> {
  const files = new Map<string, Uint8Array>();
  for (const name of recordFileNames) {
    const key = `experiments/${experiment}/report/${name}`;
    const found = await blobs.stat(key);
    if (found === undefined) continue;
    if (found.sizeBytes > recordFileLimitBytes) {
      const message = `${key} has ${found.sizeBytes} bytes; a file of a record has at most ${recordFileLimitBytes}`;
      throw new ResourceExhausted("RECORD_TOO_LARGE", message, { key });
    }
    files.set(name, await blobs.read(key));
  }
  return publishedRecord(files);
}

export function publishedRecord(files: ReadonlyMap<string, Uint8Array>): PublishedRecord {
  const json = files.get("report.json");
  if (json === undefined) return { files, sha256: "", report: undefined };
  return { files, sha256: sha256Hex(json), report: reportOf(json) };
}

function reportOf(json: Uint8Array): Report | undefined {
  try {
    return fromJsonString(ReportSchema, new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    return undefined; // said by the comparison, which shows where
  }
}
