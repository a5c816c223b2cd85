import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FuzzTarget } from "@pretrain/testing";
import { readAccessFile } from "./access-file.ts";

const folder = mkdtempSync(join(tmpdir(), "pretrain-fuzz-access-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "access.yaml");
const callers = [
  {
    name: "ada",
    key_sha256: "0123456789abcdef".repeat(4),
    roles: [{ role: "viewer" }, { role: "researcher", resources: ["experiments/ada-*", "datasets/*"] }],
  },
];
const claims = { name_claim: "email", roles_claim: "groups", roles: { team: [{ role: "operator" }] } };
const issuers = [{ issuer: "https://login.invalid", audience: "pretrain", jwks_file: "keys.json", ...claims }];
const keys = [{ kty: "EC", crv: "P-256", x: "AQ", y: "AQ" }];

export default {
  seeds() {
    writeFileSync(join(folder, "keys.json"), JSON.stringify({ keys }));
    const yaml = 'callers:\n  - name: ada\n    key_sha256: "00"\n    roles: [{ role: viewer }]\nissuers: []\n';
    return [JSON.stringify({ callers, issuers }), yaml].map((text) => new TextEncoder().encode(text));
  },
  dictionary: [
    "callers",
    "issuers",
    "roles",
    "role",
    "resources",
    "operator",
    "jwks_url",
    "jwks_file",
    "/dev/zero",
    "*",
  ],
  take(bytes) {
    writeFileSync(path, bytes);
    readAccessFile(path);
  },
} satisfies FuzzTarget;
