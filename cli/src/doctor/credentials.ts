/** What this command shows and believes: whether it can be read, how long it is valid, and whether the trainer knows anybody by it. */
import { join } from "node:path";
import { messageOf, PermissionDenied, Unauthenticated } from "@pretrain/errors";
import { TrainerService } from "@pretrain/proto";
import { tlsFiles } from "@pretrain/tls";
import { type CredentialOptions, keyOf, materialOf } from "../credentials.ts";
import { certificateIn, daysLeft } from "../identities/certificate-in.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

const patienceMs = 3000;
/** Enough to notice, and to do something. */
const soonDays = 14;

type Options = CredentialOptions & ServiceOptions<"trainer">;

/** @param nowMs what the clock says */
export async function credentialFindings(options: Options, nowMs: number): Promise<Finding[]> {
  const { ca, tls } = options;
  try {
    keyOf(options);
    materialOf(options);
  } catch (error) {
    return [failed("credentials", messageOf(error), "name a file that is there and can be read")];
  }
  return [
    ...(tls === undefined ? [] : [validityFinding("certificate", join(tls, tlsFiles.certificate), nowMs)]),
    ...(ca === undefined ? [] : [validityFinding("authority", ca, nowMs)]),
    ...(await rightsFindings(options)),
  ];
}

/** @param what the certificate is */
export function validityFinding(what: string, file: string, nowMs: number): Finding {
  try {
    const facts = certificateIn(file);
    const days = daysLeft(facts, nowMs);
    const found = `"${facts.name}", ${days < 0 ? "expired" : `valid for ${days} days`}, until ${facts.validTo.toISOString()}`;
    const mend = 'renew it: "pretrain certificates renew" where that made it; else whoever keeps the authority';
    if (days < 0) return failed(what, found, mend);
    return days < soonDays ? warning(what, found, mend) : ok(what, found);
  } catch (error) {
    return failed(what, messageOf(error), "name a file with a certificate in PEM");
  }
}

/** Nothing of a trainer that does not answer: another finding says so. */
async function rightsFindings(options: Options): Promise<Finding[]> {
  try {
    using trainer = connect(TrainerService, "trainer", options);
    await trainer.listExperiments({ pageSize: 1 }, { timeoutMs: patienceMs });
    return [ok("rights", "the trainer lets this command read")];
  } catch (error) {
    const mend = 'whoever keeps the access file gives a key, or another role: "pretrain keys create"';
    if (error instanceof Unauthenticated || error instanceof PermissionDenied)
      return [failed("rights", messageOf(error), mend)];
    return [];
  }
}
