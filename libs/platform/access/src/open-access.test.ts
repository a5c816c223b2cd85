/** Who somebody is by a file, by keys and by tokens that a real issuer's keys signed. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { InvalidArgument, Unauthenticated } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory, until } from "@pretrain/testing";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { type Access, createApiKey, openAccess, sha256OfApiKey } from "./index.ts";

const log = createLog("test", "fatal" as "error");

function fileOf(callers: string, issuers = "[]"): string {
  return `callers: ${callers}\nissuers: ${issuers}\n`;
}

async function opened(scope: TestContext, text: string): Promise<{ readonly access: Access; readonly path: string }> {
  const path = join(temporaryDirectory(scope), "access.yaml");
  writeFileSync(path, text);
  const access = await openAccess(path, { log, lookEveryMs: 10 });
  scope.after(() => access[Symbol.dispose]());
  return { access, path };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Unauthenticated, String(error));
  return error.reason;
}

test("given a key, its holder is known by it; by a part of it, by another one or by its digest nobody is", async (t) => {
  const [ada, other] = [createApiKey(), createApiKey()];
  assert.match(ada.key, /^pretrain_[A-Za-z0-9_-]{43}$/); // 256 bits
  const { access } = await opened(t, fileOf(`[{ name: ada, key_sha256: ${ada.sha256}, roles: [{ role: viewer }] }]`));
  const caller = await access.callerOf({ authorization: `Bearer ${ada.key}` });
  assert.deepEqual(caller, { kind: "person", name: "ada", grants: [{ role: "viewer" }] });
  assert.equal((await access.callerOf({ authorization: `bearer ${ada.key}` })).name, "ada");
  for (const [authorization, reason] of [
    [`Bearer ${other.key}`, "UNKNOWN_KEY"],
    [`Bearer ${ada.key.slice(0, -1)}`, "TOKEN_REFUSED"],
    [`Bearer ${ada.sha256}`, "TOKEN_REFUSED"],
    ["Bearer ada", "TOKEN_REFUSED"],
    [`Basic ${ada.key}`, "TOKEN_REFUSED"],
    ["", "TOKEN_REFUSED"],
    [undefined, "NO_CREDENTIALS"],
  ] as const) {
    assert.equal(await refusal(access.callerOf({ authorization })), reason, authorization ?? "nothing");
  }
});

test("given a digest of a word that somebody made up, the word is no key: it could be guessed", async (t) => {
  const { access } = await opened(
    t,
    fileOf(`[{ name: ada, key_sha256: ${sha256OfApiKey("secret")}, roles: [{ role: operator }] }]`),
  );
  assert.equal(await refusal(access.callerOf({ authorization: "Bearer secret" })), "TOKEN_REFUSED");
});

test("given a certificate and a token, the token counts alone: also when it is refused", async (t) => {
  const ada = createApiKey();
  const { access } = await opened(t, fileOf(`[{ name: ada, key_sha256: ${ada.sha256}, roles: [] }]`));
  const process = { kind: "process", name: "report" };
  assert.deepEqual(await access.callerOf({ certificateName: "report" }), process);
  assert.equal((await access.callerOf({ certificateName: "report", authorization: `Bearer ${ada.key}` })).name, "ada");
  const wrong = { certificateName: "report", authorization: `Bearer ${createApiKey().key}` };
  assert.equal(await refusal(access.callerOf(wrong)), "UNKNOWN_KEY");
});

test("given a file that is replaced as a secret's volume replaces it, who was taken out is not known any more; a faulty one changes nothing", async (t) => {
  const folder = temporaryDirectory(t);
  const [ada, bob] = [createApiKey(), createApiKey()];
  const put = (version: string, text: string) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "access.yaml"), text);
    symlinkSync(version, join(folder, "new"));
    renameSync(join(folder, "new"), join(folder, "current"));
  };
  put("1", fileOf(`[{ name: ada, key_sha256: ${ada.sha256}, roles: [] }]`));
  const lines: unknown[] = [];
  const telling = { ...log, error: (line: unknown) => lines.push(line), info: () => undefined } as typeof log;
  using access = await openAccess(join(folder, "current", "access.yaml"), { log: telling, lookEveryMs: 10 });
  const knows = (key: string) =>
    access.callerOf({ authorization: `Bearer ${key}` }).then(
      () => true,
      () => false,
    );
  assert.deepEqual([await knows(ada.key), await knows(bob.key)], [true, false]);
  put("2", "callers: [{ name: bob }]");
  await until(() => lines.length > 0, { timeoutMs: 30_000 });
  assert.deepEqual([await knows(ada.key), await knows(bob.key)], [true, false]);
  rmSync(join(folder, "current"));
  await until(() => lines.length > 1, { timeoutMs: 30_000 });
  assert.equal(await knows(ada.key), true);
  put("3", fileOf(`[{ name: bob, key_sha256: ${bob.sha256}, roles: [] }]`));
  await until(() => knows(bob.key), { timeoutMs: 30_000 });
  assert.equal(await knows(ada.key), false);
});

test("given tokens of an issuer, only those count that it signed for this installation and that are valid now", async (t) => {
  const [ours, others] = [await generateKeyPair("ES256", { extractable: true }), await generateKeyPair("ES256")];
  const publicKey = { ...(await exportJWK(ours.publicKey)), kid: "1", alg: "ES256" };
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, "keys.json"), JSON.stringify({ keys: [publicKey] }));
  const issuers = `
  - issuer: https://login.example
    audience: pretrain
    jwks_file: keys.json
    name_claim: email
    roles_claim: realm_access.roles
    roles: { team: [{ role: researcher, resources: ["experiments/team-*"] }], admins: [{ role: operator }] }`;
  writeFileSync(join(folder, "access.yaml"), fileOf("[]", issuers));
  using access = await openAccess(join(folder, "access.yaml"), { log });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://login.example",
    aud: "pretrain",
    exp: now + 600,
    email: "ada@example.org",
    realm_access: { roles: ["team", "unheard-of", "constructor"] },
  };
  const signed = (changed: Record<string, unknown>, key: CryptoKey = ours.privateKey) => {
    const all = Object.entries({ ...claims, ...changed }).filter(([, value]) => value !== undefined);
    return new SignJWT(Object.fromEntries(all)).setProtectedHeader({ alg: "ES256", kid: "1" }).sign(key);
  };
  const known = await access.callerOf({ authorization: `Bearer ${await signed({})}` });
  const grants = [{ role: "researcher", resources: ["experiments/team-*"] }];
  assert.deepEqual(known, { kind: "person", name: "ada@example.org", grants });
  const operator = await access.callerOf({
    authorization: `Bearer ${await signed({ realm_access: { roles: "admins" } })}`,
  });
  assert.deepEqual(operator.kind === "person" && operator.grants, [{ role: "operator" }]);
  const shared = new TextEncoder().encode(await exportSPKI(ours.publicKey));
  const byPublicKey = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "1" }).sign(shared);
  const [head, , signature] = (await signed({})).split(".");
  const altered = [head, Buffer.from(JSON.stringify({ ...claims, email: "eve" })).toString("base64url"), signature];
  for (const [what, token] of Object.entries({
    "signed by another key": await signed({}, others.privateKey),
    "not signed": new UnsecuredJWT(claims).encode(),
    "signed with the public key as a shared secret": await byPublicKey,
    "its claims changed after it was signed": altered.join("."),
    "of yesterday": await signed({ exp: now - 86_400 }),
    "of tomorrow": await signed({ nbf: now + 86_400 }),
    "for ever": await signed({ exp: undefined }),
    "for another installation": await signed({ aud: "elsewhere" }),
    "for nobody": await signed({ aud: undefined }),
    "of an issuer that is not in the file": await signed({ iss: "https://login.example/" }),
    "without a name": await signed({ email: undefined }),
    "with a name of line breaks": await signed({ email: "ada\naudit: true" }),
    "no token": "e30.e30.",
  })) {
    assert.equal(await refusal(access.callerOf({ authorization: `Bearer ${token}` })), "TOKEN_REFUSED", what);
  }
});

for (const [what, text, message] of [
  ["is no YAML", "callers: [", /line 1/],
  ["repeats a key", "callers: []\ncallers: []", /unique/],
  ["has a field that nobody knows", "caller: []", /caller: /],
  ["has an alias", "callers: &a []\nissuers: *a", /alias/i],
  [
    "names no role",
    fileOf("[{ name: ada, key_sha256: KEY, roles: [{ role: admin }] }]"),
    /callers\[0\]\.roles\[0\]\.role: .*viewer/,
  ],
  [
    "has a star inside",
    fileOf('[{ name: a, key_sha256: KEY, roles: [{ role: viewer, resources: ["a*b"] }] }]'),
    /resources\[0\]: .*end only/,
  ],
  [
    "grants nothing",
    fileOf("[{ name: a, key_sha256: KEY, roles: [{ role: viewer, resources: [] }] }]"),
    /names nothing/,
  ],
  [
    "has a key in place of its digest",
    fileOf("[{ name: ada, key_sha256: pretrain_x, roles: [] }]"),
    /callers\[0\]\.key_sha256: 64/,
  ],
  [
    "has a name twice",
    fileOf("[{ name: a, key_sha256: KEY, roles: [] }, { name: a, key_sha256: KEY, roles: [] }]"),
    /callers\[1\]\.name: is the one of callers\[0\].*callers\[1\]\.key_sha256/s,
  ],
  [
    "gets keys without TLS",
    fileOf("[]", '[{ issuer: i, audience: a, jwks_url: "http://i/keys", name_claim: n, roles_claim: r, roles: {} }]'),
    /issuers\[0\]\.jwks_url: https/,
  ],
  [
    "says not where keys are",
    fileOf("[]", "[{ issuer: i, audience: a, name_claim: n, roles_claim: r, roles: {} }]"),
    /issuers\[0\]: one of jwks_file and jwks_url/,
  ],
  [
    "names keys that are not there",
    fileOf("[]", "[{ issuer: i, audience: a, jwks_file: absent.json, name_claim: n, roles_claim: r, roles: {} }]"),
    /absent\.json cannot be read/,
  ],
  ["is too large", `# ${"x".repeat(1024 * 1024)}`, /larger than 1048576 bytes/],
] as const) {
  test(`given a file that ${what}, the start is refused and the place named`, async (t) => {
    const written = text.replaceAll("KEY", "ab".repeat(32));
    await assert.rejects(opened(t, written), (error) => {
      assert.ok(error instanceof InvalidArgument);
      assert.match(error.message, /PRETRAIN_ACCESS: .*access\.yaml/);
      assert.match(error.message, message);
      return true;
    });
  });
}
