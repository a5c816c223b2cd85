/** A record into the blob store, and the announcement of it. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { BlobStore } from "@pretrain/blobs";
import { type Report, type ReportWritten, ReportWrittenSchema } from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { allTargetsMet } from "../record/verdict-counts.ts";
import type { RenderedRecord } from "../rendering/render-record.ts";

/** Where a record's files are, report.json last. */
export function recordBlobs(experiment: string): {
  readonly html: string;
  readonly markdown: string;
  readonly json: string;
} {
  const folder = `experiments/${experiment}/report`;
  return { markdown: `${folder}/report.md`, html: `${folder}/report.html`, json: `${folder}/report.json` };
}

/** report.json is written last: where it is, the other two are at least as new. A crash before it is repaired by writing all again. */
export async function writeRecord(blobs: BlobStore, experiment: string, record: RenderedRecord): Promise<void> {
  const keys = recordBlobs(experiment);
  const utf8 = new TextEncoder();
  await blobs.put(keys.markdown, utf8.encode(record.markdown));
  await blobs.put(keys.html, utf8.encode(record.html));
  await blobs.put(keys.json, utf8.encode(record.json));
}

export function reportWritten(experiment: string, report: Report, sha256: string, now: Date): ReportWritten {
  const { json, markdown, html } = recordBlobs(experiment);
  return create(ReportWrittenSchema, {
    experiment: experimentName(experiment),
    time: timestampFromDate(now),
    reportSha256: sha256,
    blobs: [json, markdown, html],
    allTargetsMet: allTargetsMet(report.indicators),
  });
}
