/** Answers which events the ledger does not have, so that whoever still has one can publish it again. */
import { create } from "@bufbuild/protobuf";
import { type MissingEventsRequest, type MissingEventsResponse, MissingEventsResponseSchema } from "@pretrain/proto";
import { identityOfMessageId } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";

/** What is not named in the answer is on the disk: every transaction of this ledger is synced before anything else happens. */
export function missingEvents(ledger: Ledger): (request: MissingEventsRequest) => MissingEventsResponse {
  const known = ledger.database.prepare(`
    SELECT 1 FROM events
    WHERE experiment = ? AND kind = ? AND attempt = ? AND number = ? AND nonce = ? AND detail = ?`);
  const isMissing = (messageId: string) => {
    const identity = identityOfMessageId(messageId);
    if (identity === undefined) return true;
    const { experiment, kind, attempt, number, nonce, detail } = identity;
    return known.get(experiment, kind, attempt, number, nonce, detail) === undefined;
  };
  return ({ messageIds }) =>
    create(MissingEventsResponseSchema, { ledger: ledger.id, missing: messageIds.filter(isMissing) });
}
