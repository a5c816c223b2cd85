/** Which request an id was used for: a repetition is welcome, another request under the same id is a mistake of the caller. */
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { AlreadyExists } from "@pretrain/errors";

/**
 * Takes the id for this request, or finds that this request has it already. Of two at the same moment one gets it.
 *
 * @param method that the id was given to: ids of two methods are two ids
 * @param requestId "" when the caller gave none: then there is nothing to remember
 * @param request its content in one spelling, without the id
 * @throws AlreadyExists when the id was used for another request
 */
export async function rememberRequest(
  blobs: BlobStore,
  method: "evaluate-checkpoint" | "export-checkpoint",
  requestId: string,
  request: string,
): Promise<void> {
  if (requestId === "") return;
  const key = `requests/${method}/${sha256Hex(Buffer.from(requestId))}`;
  const sha256 = Buffer.from(sha256Hex(Buffer.from(request)));
  if (await blobs.create(key, sha256)) return;
  if (sha256.equals(await blobs.read(key))) return;
  const message = `request_id ${JSON.stringify(requestId)} was used for another request; use a new one`;
  throw new AlreadyExists("REQUEST_ID_REUSED", message, { request_id: requestId });
}
