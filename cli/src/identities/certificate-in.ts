/** What a certificate file says of itself. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { FailedPrecondition, systemReason } from "@pretrain/errors";

export interface CertificateFacts {
  /** Common name. */
  readonly name: string;
  /** What it may be called by. */
  readonly hosts: readonly string[];
  readonly validTo: Date;
}

const dayMs = 24 * 3600 * 1000;

/** @throws FailedPrecondition naming the file when it cannot be read or is no certificate */
export function certificateIn(file: string): CertificateFacts {
  try {
    const { subject, subjectAltName = "", validToDate } = new X509Certificate(readFileSync(file));
    return {
      name: /^CN=(.*)$/m.exec(subject)?.[1] ?? "",
      hosts: [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, host = ""]) => host),
      validTo: validToDate,
    };
  } catch (cause) {
    throw new FailedPrecondition("CERTIFICATE_UNREADABLE", `${file} ${systemReason(cause)}`, { file }, { cause });
  }
}

/** Whole days from now; negative: it has expired. */
export function daysLeft({ validTo }: CertificateFacts, nowMs: number): number {
  return Math.floor((validTo.getTime() - nowMs) / dayMs);
}
