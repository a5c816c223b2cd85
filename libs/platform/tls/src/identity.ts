/** Who the other side of a connection is, by its certificate. */
import type { TLSSocket } from "node:tls";

/**
 * The common name of the other side's certificate: `trainer-worker`, for one. Undefined when it has shown none, or one that the
 * authority did not sign.
 */
export function identityOfCertificate(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name: string | string[] | undefined = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? undefined : name;
}
