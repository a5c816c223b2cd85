/** What is known of a call beside its message: who calls, and what it is about. */
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Caller } from "@pretrain/access";

export interface CallRecord {
  readonly caller: Caller;
  /** What it is about, once its request was read. */
  resources?: readonly string[];
  /** The method has done what was asked. */
  isDone?: boolean;
}

export const callRecord = createContextKey<CallRecord | undefined>(undefined, {
  description: "who calls, and what it is about",
});

/** Who calls. Undefined where everybody may: a service of this machine, without an access file. */
export function callerOf({ values }: { readonly values: ContextValues }): Caller | undefined {
  return values.get(callRecord)?.caller;
}
