/** Why a command and a service do not believe each other's certificates, and what to do. */
import { PretrainError } from "@pretrain/errors";

interface Doubt {
  readonly found: string;
  readonly mend: string;
}

const doubts: readonly (readonly [code: RegExp, doubt: Doubt])[] = [
  [
    /^CERT_HAS_EXPIRED$/,
    {
      found: "its certificate has expired",
      mend: 'whoever keeps the service renews it ("pretrain certificates renew" where that made it)',
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    {
      found: "its certificate is of another name than this address",
      mend: "call it by a name that its certificate has, or let one be made with this name (--hosts)",
    },
  ],
  [
    /^(CERT_SIGNATURE_FAILURE$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/,
    {
      found: "its certificate is of no authority that is believed here",
      mend: "name the file of its authority (ca.crt) with --ca or PRETRAIN_CA",
    },
  ],
  [
    /^(ERR_SSL_|EPROTO)/,
    {
      found: "it does not answer in TLS as this command expects it",
      mend: "leave out --ca, --tls and https:// if it speaks no TLS; look at the certificate that you show if it does",
    },
  ],
];

/** Undefined when the error is about something else. */
export function certificateDoubt(thrown: unknown): Doubt | undefined {
  if (!(thrown instanceof PretrainError) || thrown.status !== "UNAVAILABLE") return undefined;
  for (let cause: unknown = thrown.cause; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? String(cause.code) : "";
    const found = doubts.find(([pattern]) => pattern.test(code));
    if (found !== undefined) return found[1];
  }
  return undefined;
}
