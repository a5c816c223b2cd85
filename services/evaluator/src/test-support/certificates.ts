/** Certificates as the computing process gives them: one that holds, and one that a canary has failed. */
import { type CanaryResult, certificateMessage, type ModelCertificate } from "../evaluation/certificate.ts";

const canary: CanaryResult = {
  name: "next_token_oracle",
  claim: "each row costs what its closed form says",
  outcome: "PASSED",
  deviation: 1e-5,
  limit: 0.01,
  unit: "nats",
  evidence: "4 x 64: 3 rows cost 813.2 nats, 813.2 are known",
};

export const proven: ModelCertificate = {
  canaries: [canary],
  codeSha256: "c0de".repeat(16),
  device: "cpu",
  precision: "float32",
  shapes: ["4 x 64"],
  seconds: 0.5,
};

const loaded = { checkpointSha256: "c0".repeat(32), tokenizerSha256: "70".repeat(32) };

export const validCertificate = certificateMessage(proven, loaded);

/** Off by 37 nats, which is what the wrong shift costs. */
export const failedCertificate = certificateMessage(
  { ...proven, canaries: [{ ...canary, outcome: "FAILED", deviation: 37 }] },
  loaded,
);
