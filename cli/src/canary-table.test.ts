/** What `pretrain doctor` says of canaries. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { CertificateSchema, Canary_Outcome as Outcome } from "@pretrain/proto";
import { canaryTable, holds } from "./canary-table.ts";

const oracle = { name: "next_token_oracle", claim: "each row costs what is known", limit: 0.01, unit: "nats" };
const passed = { ...oracle, outcome: Outcome.PASSED, deviation: 4e-6, evidence: "4 x 64: 813.2 nats" };
const failed = { ...oracle, outcome: Outcome.FAILED, deviation: 37, evidence: "4 x 64: 850.2 nats" };
const silent = { ...oracle, name: "causality", outcome: Outcome.NOT_APPLICABLE, evidence: "all tokens cost the same" };
const about = { shapes: ["4 x 64"], device: "cpu", precision: "float32", seconds: 1.25, codeSha256: "c0de".repeat(16) };

test("each canary has its margin, a failed one what it found", () => {
  const text = canaryTable(create(CertificateSchema, { ...about, canaries: [failed, silent] }));
  assert.equal(
    text,
    [
      "canary                                  off by  allowed  unit",
      "next_token_oracle  ✗ fails              37      0.01     nats",
      "causality          - says nothing here          0.01     nats",
      "next_token_oracle: each row costs what is known. Found: 4 x 64: 850.2 nats",
      "in 4 x 64 (rows x positions), cpu, float32, 1.3 s, code c0dec0dec0de",
    ].join("\n"),
  );
  assert.match(canaryTable(create(CertificateSchema, { ...about, canaries: [passed] })), /✓ holds {2}4\.0e-6 {2}0\.01/);
});

test("one canary that fails is enough not to believe, and so is none at all", () => {
  assert.equal(holds(create(CertificateSchema, { canaries: [passed, silent] })), true);
  assert.equal(holds(create(CertificateSchema, { canaries: [passed, failed] })), false);
  assert.equal(holds(create(CertificateSchema, {})), false);
});
