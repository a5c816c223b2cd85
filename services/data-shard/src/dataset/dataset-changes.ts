/**
 * Every change of a dataset's record, as a function of the record alone. A change that the state does not accept gives the
 * same record back: somebody else was faster, and their change stands.
 */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { AnsweredRequestSchema, type Dataset, Dataset_State, type DatasetRecord, DatasetSchema } from "@pretrain/proto";
import { after, type Command } from "./lifecycle.ts";

/** A record with its dataset, as every stored one has it. */
export type PackedRecord = DatasetRecord & { readonly dataset: Dataset };

/** A request by its `request_id`, and the digest of the settings that it came with. */
export interface Request {
  readonly requestId: string;
  readonly settingsSha256: string;
}

export interface Completion {
  readonly manifestSha256: string;
  readonly tokenizerKey: string;
  readonly tokenizerSha256: string;
  readonly vocabularySize: number;
  readonly trainRows: number;
  readonly validationRows: number;
}

const keptRequests = 100;

/** The dataset was asked for: the request is remembered; one that failed, or whose blobs are gone, is to be packed again. */
export function askedFor(
  record: PackedRecord,
  request: Request,
  { isLost }: { readonly isLost: boolean },
): PackedRecord {
  const isRenewed = record.dataset.state === Dataset_State.FAILED || isLost;
  return remembering(isRenewed ? renewed(record) : record, request);
}

/** Somebody began to pack it, for the first time or again. */
export function begun(record: PackedRecord): PackedRecord {
  return changed(record, "begin", { bytesRead: 0n });
}

export function progressed(record: PackedRecord, bytesRead: number): PackedRecord {
  const { dataset } = record;
  if (dataset.state !== Dataset_State.PACKING || dataset.bytesRead === BigInt(bytesRead)) return record;
  return { ...record, dataset: { ...dataset, bytesRead: BigInt(bytesRead) } };
}

export function completed(record: PackedRecord, completion: Completion, now: Date): PackedRecord {
  const { tokenizerKey: tokenizerBlob, trainRows, validationRows, ...rest } = completion;
  const rows = { trainRows: BigInt(trainRows), validationRows: BigInt(validationRows) };
  const bytesRead = (record.train?.sizeBytes ?? 0n) + (record.validation?.sizeBytes ?? 0n);
  return changed(record, "complete", { ...rest, ...rows, tokenizerBlob, bytesRead, endTime: timestampFromDate(now) });
}

/** @param error for a person; its first 2,000 characters are kept */
export function failed(record: PackedRecord, error: string, now: Date): PackedRecord {
  return changed(record, "fail", { error: error.slice(0, 2000), endTime: timestampFromDate(now) });
}

function changed(record: PackedRecord, command: Command, fields: Partial<Dataset>): PackedRecord {
  const state = after(record.dataset.state, command);
  return state === undefined ? record : { ...record, dataset: { ...record.dataset, ...fields, state } };
}

/** As it was when it was new: what the last packing found is not known any more. */
function renewed(record: PackedRecord): PackedRecord {
  const { name, settings, createTime } = record.dataset;
  const state = after(record.dataset.state, "renew");
  if (state === undefined) return record;
  const dataset = create(DatasetSchema, {
    name,
    state,
    ...(settings && { settings }),
    ...(createTime && { createTime }),
  });
  return { ...record, dataset };
}

function remembering(record: PackedRecord, { requestId, settingsSha256 }: Request): PackedRecord {
  const isKnown = record.requests.some((answered) => answered.requestId === requestId);
  if (requestId === "" || isKnown) return record;
  const request = create(AnsweredRequestSchema, { requestId, settingsSha256 });
  return { ...record, requests: [...record.requests, request].slice(-keptRequests) };
}
