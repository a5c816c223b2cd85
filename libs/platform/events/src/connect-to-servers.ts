/** The connection itself: to one of the broker's servers, as this process's certificate says, and again for ever when it is lost. */
import { AuthorizationError, connect, type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { messageOf, PermissionDenied, Unavailable } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { commonNameOf, type Tls } from "@pretrain/tls";
import type { BrokerOptions } from "./broker.ts";
import { inboxPrefix } from "./inbox.ts";

const connectWithinMs = 5_000;
const reconnectAfterMs = 500;

export interface Connected {
  readonly nats: NatsConnection;
  /** What the subjects begin with on which this process is answered. */
  readonly inbox: string;
}

/** @throws Unavailable naming address and variable, when nobody answers; PermissionDenied when the broker does not know this process */
export async function connectToServers({ url, name, tls, log }: BrokerOptions): Promise<Connected> {
  const identity = (tls && commonNameOf(tls.material.certificate)) ?? name;
  const inbox = inboxPrefix(identity); // of its name, at a broker that asks for no certificate
  const shown = tls && certificateOf(tls);
  try {
    const nats = await connect({
      servers: url.split(","),
      name,
      inboxPrefix: inbox,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectAfterMs,
      ignoreAuthErrorAbort: true, // a broker that does not know us for a while is being set up
      timeout: connectWithinMs,
      ...(shown && { tls: shown }),
    });
    if (shown) tls.onChange(() => showAnother(nats, shown, tls));
    void logStatus(nats, identity, log);
    return { nats, inbox };
  } catch (error) {
    throw connectError(error, url, identity, tls !== undefined);
  }
}

function certificateOf({ material }: Tls) {
  return { cert: material.certificate, key: material.key, ca: material.authority };
}

/** The client reads what it shows at each connection. A connection that stands was made with the old one, which may end at any time. */
function showAnother(nats: NatsConnection, shown: ReturnType<typeof certificateOf>, tls: Tls): void {
  Object.assign(shown, certificateOf(tls));
  nats.reconnect().catch(() => undefined); // it is closed
}

function connectError(error: unknown, url: string, identity: string, isClosed: boolean): Error {
  if (error instanceof AuthorizationError) {
    const message = `${url}: the broker does not know "CN=${identity}"; its configuration must name that user, and its authority have signed the certificate`;
    return new PermissionDenied("BROKER_REFUSES", message, { url, identity }, { cause: error });
  }
  // Of a certificate that another authority signed, a server says nothing: it falls silent.
  const certificate = isClosed ? `, or have its authority sign the certificate of "${identity}"` : "";
  const message = `${url}: no NATS server answers (${messageOf(error)}); start one, or name another in PRETRAIN_NATS_URL${certificate}`;
  return new Unavailable("BROKER_UNREACHABLE", message, { url }, { cause: error });
}

async function logStatus(nats: NatsConnection, identity: string, log: Log): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === "disconnect") log.warn("the broker is away; it is looked for until it is back");
    if (status.type === "reconnect") log.info("the broker is back");
    if (status.type !== "error") continue;
    const { error } = status;
    if (error instanceof PermissionViolationError) {
      const { operation, subject } = error;
      log.error(
        { identity, operation, subject },
        "the broker does not let this process do that; its permissions are wrong",
      );
    } else log.warn({ reason: messageOf(error) }, "the broker reports an error");
  }
}
