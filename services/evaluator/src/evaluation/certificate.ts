/** What the code that scores has proven of itself: as the computing process tells it, and as it stands beside the numbers. */
import { create } from "@bufbuild/protobuf";
import { Canary_Outcome, type Certificate, CertificateSchema } from "@pretrain/proto";

/** What came of a canary. */
export interface CanaryResult {
  readonly name: string;
  /** What must hold. */
  readonly claim: string;
  readonly outcome: "PASSED" | "FAILED" | "NOT_APPLICABLE";
  /** Infinity: what was found cannot be compared with what must be. */
  readonly deviation: number;
  readonly limit: number;
  readonly unit: string;
  /** What was run and found, for a person. */
  readonly evidence: string;
}

/** A certificate without the digests of checkpoint and tokenizer, which who asks for it knows. */
export interface ModelCertificate {
  readonly canaries: readonly CanaryResult[];
  readonly codeSha256: string;
  readonly device: string;
  readonly precision: string;
  /** Such as `8 x 512`. */
  readonly shapes: readonly string[];
  /** What the checks took, when they were made. */
  readonly seconds: number;
}

/** What was loaded; both empty where nothing was. */
export type Loaded = Pick<Certificate, "checkpointSha256" | "tokenizerSha256">;

export function certificateMessage({ canaries, ...proven }: ModelCertificate, loaded: Loaded): Certificate {
  const results = canaries.map((each) => ({ ...each, outcome: Canary_Outcome[each.outcome] }));
  return create(CertificateSchema, { ...proven, ...loaded, shapes: [...proven.shapes], canaries: results });
}

/** The canaries that failed, with their evidence, for a person; undefined when none did. */
export function failureOf({ canaries }: Pick<ModelCertificate, "canaries">): string | undefined {
  const failed = canaries.filter(({ outcome }) => outcome === "FAILED");
  if (failed.length === 0) return undefined;
  const words = failed.map(({ name, deviation, limit, unit, evidence }) => {
    return `${name} is off by ${deviation} ${unit}, ${limit} is allowed (${evidence})`;
  });
  return `the code that scores and generates is wrong here: ${words.join("; ")}`;
}

/** Scored, but by code that did not prove itself: there are no numbers, and the certificate is the evidence. */
export class NotCertified extends Error {
  readonly certificate: Certificate;
  constructor(failure: string, certificate: Certificate) {
    super(failure);
    this.certificate = certificate;
  }
}
