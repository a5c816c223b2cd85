import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "@pretrain/observability";
import type { FuzzTarget } from "@pretrain/testing";
import { createApiKey, openAccess, sha256OfApiKey } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "pretrain-fuzz-credentials-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const issuer = "https://login.invalid";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { key } = createApiKey();
const claims = { name_claim: "email", roles_claim: "realm.roles", roles: { team: [{ role: "operator" }] } };
writeFileSync(
  join(folder, "keys.json"),
  JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), alg: "ES256" }] }),
);
writeFileSync(
  join(folder, "access.yaml"),
  JSON.stringify({
    callers: [{ name: "ada", key_sha256: sha256OfApiKey(key), roles: [{ role: "viewer" }] }],
    issuers: [{ issuer, audience: "pretrain", jwks_file: "keys.json", ...claims }],
  }),
);
const access = await openAccess(join(folder, "access.yaml"), { log: createLog("fuzz", "error") });
const utf8 = new TextEncoder();
const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");

/** What a caller shows. Inside of it: header and claims of a token, which are signed whatever they are. */
export default {
  seeds: () => {
    const payload = {
      iss: issuer,
      aud: "pretrain",
      email: "ada@example.org",
      exp: 4e9,
      nbf: 1,
      realm: { roles: ["team"] },
    };
    return [payload, { ...payload, aud: ["pretrain"], email: "é" }].map((each) => utf8.encode(JSON.stringify(each)));
  },
  dictionary: ["iss", "aud", "exp", "nbf", "email", "realm", "roles", "team", "Bearer ", "none", "HS256", "alg", key],
  enclose(payload) {
    const signed = `${base64url('{"alg":"ES256"}')}.${base64url(payload)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return utf8.encode(`Bearer ${signed}.${base64url(signature)}`);
  },
  take: (bytes) => access.callerOf({ authorization: new TextDecoder().decode(bytes) }),
} satisfies FuzzTarget;
