/** What to do about a measurement that did not come about: some failures say something about the checkpoint, others do not. */
import { messageOf, PretrainError } from "@pretrain/errors";

export type Decision =
  /** Once more, with a new computing process. */
  | { readonly kind: "repeat" }
  /** Later: what is missing now may be back then. */
  | { readonly kind: "later"; readonly delayMs: number }
  /** For good, with this to be read by a person. */
  | { readonly kind: "give_up"; readonly error: string };

export interface Tries {
  /** Computing processes lost over it in a row, this time included. */
  readonly computations: number;
  /** How often the piece of work has been handed out, this time included. */
  readonly deliveries: number;
}

/** A native crash or memory that ran out may pass, but not for ever. */
const mostComputations = 3;
/** At half a minute each: about four hours without data-shard. */
const mostDeliveries = 500;
const longestDelayMs = 30_000;

export function afterFailure(error: unknown, { computations, deliveries }: Tries): Decision {
  const message = messageOf(error);
  if (isOfComputing(error)) {
    const spent = computations >= mostComputations;
    return spent ? { kind: "give_up", error: `${message}, ${computations} times in a row` } : { kind: "repeat" };
  }
  if (error instanceof PretrainError && passing.has(error.status)) {
    const spent = deliveries >= mostDeliveries;
    const delayMs = Math.min(longestDelayMs, 1000 * 2 ** Math.min(deliveries - 1, 10));
    return spent ? { kind: "give_up", error: `${message}, ${deliveries} times` } : { kind: "later", delayMs };
  }
  return { kind: "give_up", error: message };
}

const passing: ReadonlySet<string> = new Set(["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED"]);

/** The computing process ended, hung, or met something that nobody foresaw. */
function isOfComputing(error: unknown): boolean {
  if (!(error instanceof PretrainError)) return true;
  return error.reason === "CHILD_LOST" || error.reason === "CHILD_GONE" || error.reason === "CHILD_HANGS";
}
