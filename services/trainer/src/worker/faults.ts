/** Which faults end the experiment. All others end this process, and the next attempt meets them again or does not. */
import { messageOf, PretrainError } from "@pretrain/errors";
import type { FaultReason } from "./protocol.ts";

/** A loss or a gradient is no finite number. The same steps lead there again. */
export class NotFinite extends Error {}

/** A fault that another thread has found: on their way between threads errors lose their class. */
export class FoundByThread extends Error {
  readonly reason: FaultReason;

  constructor(reason: FaultReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Why the experiment cannot go on; undefined when another attempt may. */
export function faultOf(thrown: unknown): { readonly reason: FaultReason; readonly message: string } | undefined {
  const message = messageOf(thrown);
  if (thrown instanceof NotFinite) return { reason: "NOT_FINITE", message };
  if (thrown instanceof FoundByThread) return { reason: thrown.reason, message };
  if (thrown instanceof PretrainError) {
    if (thrown.status === "DATA_LOSS") return { reason: "DATA_LOSS", message };
    return thrown.status === "RESOURCE_EXHAUSTED" ? { reason: "OUT_OF_RESOURCES", message } : undefined;
  }
  // TensorFlow's own words, and V8's when an array of the result is too large.
  const isMemory = /OOM when allocating|RESOURCE_EXHAUSTED|Array buffer allocation failed/.test(message);
  return isMemory ? { reason: "OUT_OF_RESOURCES", message: `memory ran out: ${message}` } : undefined;
}
