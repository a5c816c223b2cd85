/**
 * Which requests of its users a record has in it already. The mark is written with the change itself, in one compare-and-set,
 * so that a request which is repeated because its answer was lost is done once, whatever has happened to the record since.
 */
import { createHash } from "node:crypto";
import { clone } from "@bufbuild/protobuf";
import { type ExperimentRecord, ExperimentRecordSchema } from "@pretrain/proto";

/** A repetition is recognised among so many later requests to the same experiment. */
const rememberedRequests = 256;

/** @param method such as `pause-experiment`: an id counts within its method */
export function requestMark(method: string, requestId: string): string {
  return `${method}/${createHash("sha256").update(requestId).digest("hex").slice(0, 32)}`;
}

export function isApplied({ appliedRequests }: ExperimentRecord, mark: string): boolean {
  return appliedRequests.includes(mark);
}

export function withApplied(record: ExperimentRecord, mark: string): ExperimentRecord {
  const copy = clone(ExperimentRecordSchema, record);
  copy.appliedRequests = [...copy.appliedRequests, mark].slice(-rememberedRequests);
  return copy;
}
