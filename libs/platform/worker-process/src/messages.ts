/** What two processes may say to each other: objects that `kind` tells apart. */

export interface Message {
  readonly kind: string;
}

export type MessageGuard<M extends Message> = (value: unknown) => value is M;

/**
 * A guard for messages of exactly these kinds: `kinds<FromChild>({ step: true, failed: true })`. The compiler refuses a list that
 * forgets a kind. Only the kind is looked at: both sides are our own code of the same version, and what this must catch is a
 * stranger's message or a damaged one, not a missing field.
 */
export function kinds<M extends Message>(known: Readonly<Record<M["kind"], true>>): MessageGuard<M> {
  return (value): value is M =>
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    typeof value.kind === "string" &&
    Object.hasOwn(known, value.kind);
}
