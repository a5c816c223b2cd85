/** Which request an id was used for (AIP-155): decided by an exclusive create, once and for all, for each method. */
import { createHash } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import { AlreadyExists } from "@pretrain/errors";

export type RequestMethod =
  | "start-experiment"
  | "fork-experiment"
  | "import-checkpoint"
  | "pause-experiment"
  | "resume-experiment"
  | "cancel-experiment";

/**
 * Ties `requestId` to this request. A crash behind this leaves a claim that only the same request can use, by being sent again.
 *
 * @throws AlreadyExists REQUEST_ID_REUSED when it was used for another request
 */
export async function claimRequestId(
  blobs: BlobStore,
  method: RequestMethod,
  requestId: string,
  requestSha256: string,
): Promise<void> {
  const key = `requests/${method}/${createHash("sha256").update(requestId).digest("hex")}`;
  const claim = new TextEncoder().encode(requestSha256);
  if (await blobs.create(key, claim)) return;
  if (new TextDecoder().decode(await blobs.read(key)) === requestSha256) return;
  const message = `request_id "${requestId}" was used for another request; give a new one`;
  throw new AlreadyExists("REQUEST_ID_REUSED", message, { request_id: requestId });
}
