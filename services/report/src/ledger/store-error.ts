/** SQLite's failures in this project's words. */
import { FailedPrecondition, messageOf, PretrainError, ResourceExhausted, Unavailable } from "@pretrain/errors";

const full = 13;
const busyCodes = [5, 6]; // BUSY, LOCKED
const notALedger = [11, 26]; // CORRUPT, NOTADB

/** The error to throw for one that SQLite, or a call around it, threw. */
export function storeError(error: unknown, path = "the ledger"): unknown {
  if (error instanceof PretrainError) return error;
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
  if (code === undefined) return error;
  const options = { cause: error };
  const metadata = { path };
  if (code === full)
    return new ResourceExhausted("LEDGER_FULL", `${path} cannot grow: the disk is full`, metadata, options);
  if (busyCodes.includes(code)) {
    return new Unavailable(
      "LEDGER_BUSY",
      `${path} is being written by another process; only one report service may use it`,
      metadata,
      options,
    );
  }
  if (notALedger.includes(code)) {
    return new FailedPrecondition(
      "LEDGER_DAMAGED",
      `${path} is damaged or no ledger; move it away, and the ledger is built again from the broker's streams`,
      metadata,
      options,
    );
  }
  return new Unavailable("LEDGER_FAILED", `${path} cannot be used: ${messageOf(error)}`, metadata, options);
}
