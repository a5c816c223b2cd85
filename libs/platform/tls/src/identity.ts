/** Who a process is, by its certificate. */
import { X509Certificate } from "node:crypto";
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

/** The common name of a certificate in PEM, our own for one. Undefined when it has none. */
export function commonNameOf(certificate: string): string | undefined {
  const names = new X509Certificate(certificate).subject.split("\n").filter((line) => line.startsWith("CN="));
  return names.length === 1 ? names[0]?.slice("CN=".length) : undefined;
}
