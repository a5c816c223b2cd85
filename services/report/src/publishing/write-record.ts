/** A record into the blob store, and the announcement of it. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { BlobStore } from "@pretrain/blobs";
import { type Report, type ReportWritten, ReportWrittenSchema } from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { verdictCounts } from "../record/verdict-counts.ts";
import { type RenderedRecord, recordDocuments } from "../rendering/render-record.ts";

/** Where a record's files are. */
export function recordBlobs(experiment: string): { readonly json: string; readonly documents: readonly string[] } {
  const folder = `experiments/${experiment}/report`;
  return { json: `${folder}/report.json`, documents: Object.keys(recordDocuments).map((name) => `${folder}/${name}`) };
}

/** report.json is written last: where it is, the others are at least as new. A crash before it is repaired by writing all again. */
export async function writeRecord(blobs: BlobStore, experiment: string, record: RenderedRecord): Promise<void> {
  const utf8 = new TextEncoder();
  for (const [name, document] of Object.entries(record.documents)) {
    await blobs.put(`experiments/${experiment}/report/${name}`, utf8.encode(document));
  }
  await blobs.put(recordBlobs(experiment).json, utf8.encode(record.json));
}

export function reportWritten(experiment: string, report: Report, sha256: string, now: Date): ReportWritten {
  const { json, documents } = recordBlobs(experiment);
  const { targets, met, missed } = verdictCounts(report.indicators);
  return create(ReportWrittenSchema, {
    experiment: experimentName(experiment),
    time: timestampFromDate(now),
    reportSha256: sha256,
    blobs: [json, ...documents],
    allTargetsMet: met === targets,
    targets,
    targetsMet: met,
    targetsMissed: missed,
  });
}
