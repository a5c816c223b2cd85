/** A record as it was published, against what its ledger gives: each check on its own, so that one fault does not hide another. */
import { create } from "@bufbuild/protobuf";
import {
  type Report,
  Report_Completeness,
  type Verification,
  type Verification_Check,
  Verification_Check_Outcome,
  VerificationSchema,
} from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { renderRecord } from "../rendering/render-record.ts";
import { checked, type Found, skipped } from "./check.ts";
import { announcements, checkAnnouncement } from "./check-announcement.ts";
import { checkChain } from "./check-chain.ts";
import { checkDocuments } from "./check-documents.ts";
import { checkNumbers } from "./check-numbers.ts";
import { checkSeal } from "./check-seal.ts";
import type { PublishedRecord } from "./published-record.ts";

export interface Subject {
  readonly ledger: Ledger;
  /** Canonical id. */
  readonly experiment: string;
  /** The record as the ledger gives it now. */
  readonly computed: Report;
  readonly published: PublishedRecord;
  /** Whether every event is as it was written, by whoever has read them. */
  readonly events: Verification_Check;
  /** Faults of the chain in which they came. */
  readonly linkFaults: readonly Found[];
  readonly checkpoints: Verification_Check;
}

export function verifyRecord(subject: Subject): Verification {
  const { ledger, experiment, computed, published, events, linkFaults, checkpoints } = subject;
  const rendered = renderRecord(computed);
  const checks = [
    events,
    checkChain(ledger, experiment, published.report?.chain, linkFaults),
    checkSeal(ledger, experiment, published.report),
    ...publishedChecks(subject, rendered),
    checkpoints,
  ];
  return verification({ name: computed.name, checks, reportSha256: published.sha256, computedSha256: rendered.sha256 });
}

export function verification(
  found: Pick<Verification, "name" | "checks" | "reportSha256" | "computedSha256">,
): Verification {
  const isFailed = ({ outcome }: Verification_Check) => outcome === Verification_Check_Outcome.FAILED;
  return create(VerificationSchema, { ...found, sound: !found.checks.some(isFailed) });
}

const ofPublished = ["numbers", "documents", "announcement"] as const;

/** A record that was announced must be there; one that was not is not missing. */
function publishedChecks(
  { ledger, experiment, computed, published }: Subject,
  rendered: ReturnType<typeof renderRecord>,
): Verification_Check[] {
  const json = published.files.get("report.json");
  const wasAnnounced = announcements(ledger, experiment) > 0;
  if (json === undefined && wasAnnounced) {
    const found = { place: "report.json", recorded: "is not there", computed: "was announced" };
    return ofPublished.map((name) => checked(name, "the record was announced, and its files are gone", [found]));
  }
  if (json === undefined || (computed.completeness !== Report_Completeness.FINAL && !wasAnnounced)) {
    const reason =
      json === undefined ? "no record was written yet" : "the record is open: its numbers may still change";
    return ofPublished.map((name) => skipped(name, reason));
  }
  return [
    checkNumbers(json, rendered.json),
    checkDocuments(published.files, rendered),
    checkAnnouncement(ledger, experiment, published.sha256),
  ];
}
