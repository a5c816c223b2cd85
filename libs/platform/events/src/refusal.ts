/** What the broker does not let a process do: no repetition helps, so it must not look like a broker that is away. */
import { PermissionViolationError } from "@nats-io/transport-node";
import { PermissionDenied } from "@pretrain/errors";

/** The broker's refusal in an error of its client, or behind it; undefined when it is another error. */
export function refusalOf(error: unknown): PermissionDenied | undefined {
  const refusal = error instanceof Error && !(error instanceof PermissionViolationError) ? error.cause : error;
  if (!(refusal instanceof PermissionViolationError)) return undefined;
  const { operation, subject } = refusal;
  const verb = operation === "publish" ? "publish to" : "subscribe to";
  const message = `the broker does not let this process ${verb} ${subject}; its permissions say who may`;
  return new PermissionDenied("BROKER_REFUSES", message, { operation, subject }, { cause: error });
}
