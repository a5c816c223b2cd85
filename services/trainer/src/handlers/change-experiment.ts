/** Pause, resume, cancel: a user's request becomes one compare-and-set of the record, and is answered with what it has become. */
import { createHash } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import { Aborted } from "@pretrain/errors";
import type { Experiment, ExperimentRecord } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { isApplied, requestMark, withApplied } from "../experiment/applied-requests.ts";
import { resourceOf } from "../experiment/record.ts";
import { cancel, pause, resume, type UserRequest } from "../experiment/user-requests.ts";
import type { Experiments, Found } from "../stores/experiments.ts";
import { claimRequestId, type RequestMethod } from "../stores/request-claims.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  /** Says that there may be work, so that nobody has to look for it. */
  readonly wake: () => void;
}

interface ChangeRequest {
  readonly name: string;
  readonly etag: string;
  readonly requestId: string;
}

export const pauseExperiment = (dependencies: Dependencies) => changeBy("pause-experiment", pause, dependencies);
export const resumeExperiment = (dependencies: Dependencies) => changeBy("resume-experiment", resume, dependencies);
export const cancelExperiment = (dependencies: Dependencies) => changeBy("cancel-experiment", cancel, dependencies);

function changeBy(method: RequestMethod, request: UserRequest, { experiments, blobs, now, wake }: Dependencies) {
  return async ({ name, etag, requestId }: ChangeRequest): Promise<Experiment> => {
    const id = idOfExperimentName(name);
    if (requestId !== "") await claimRequestId(blobs, method, requestId, requestSha256(id, etag));
    const mark = requestId === "" ? undefined : requestMark(method, requestId);
    const found = await experiments.change(id, (found) => once(mark, found, etag, (value) => request(value, now())));
    const { value, revision } = await experiments.settle(found);
    wake();
    return resourceOf(value, revision);
  };
}

/** The record after the request, with its mark; undefined when there is nothing to write. */
function once(
  mark: string | undefined,
  { value, revision }: Found,
  etag: string,
  request: (record: ExperimentRecord) => ExperimentRecord | undefined,
): ExperimentRecord | undefined {
  if (mark !== undefined && isApplied(value, mark)) return undefined;
  expectEtag(etag, String(revision));
  const changed = request(value);
  // Also what changed nothing: repeated after somebody else's request it would.
  const marked = mark === undefined ? changed : withApplied(changed ?? value, mark);
  return marked?.transitions.length === value.transitions.length
    ? { ...marked, requests: marked.requests + 1 }
    : marked;
}

function requestSha256(id: string, etag: string): string {
  return createHash("sha256")
    .update(JSON.stringify([id, etag]))
    .digest("hex");
}

function expectEtag(given: string, current: string): void {
  if (given === "" || given === current) return;
  const message = `etag "${given}" is not the experiment's, which is "${current}" now; read it again`;
  throw new Aborted("ETAG_MISMATCH", message, { etag: given, current });
}
