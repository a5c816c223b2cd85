/** Keys that an issuer publishes at an address, by a real server with TLS: how often it is asked, and what it may answer. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { PretrainError } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory } from "@pretrain/testing";
import { createAuthority } from "@pretrain/tls/authority";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { openAccess } from "./index.ts";

test("given an issuer that publishes its keys, they are fetched once; from elsewhere, or beyond all size, they are not taken", async (t) => {
  const folder = temporaryDirectory(t);
  const authority = await createAuthority();
  await authority.issue(folder, { name: "issuer" });
  const before = getCACertificates("default");
  t.after(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, authority.certificate]);
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "1" }] });
  const asked: string[] = [];
  const answers: Readonly<Record<string, RequestListener>> = {
    "/keys": (_request, response) => response.end(keys),
    "/moved": (_request, response) => response.writeHead(302, { location: "/keys" }).end(),
    "/large": (_request, response) => response.end(`${keys}${" ".repeat(300 * 1024)}`),
    "/broken": (_request, response) => response.writeHead(500).end(),
  };
  const [cert, key] = [readFileSync(join(folder, "tls.crt")), readFileSync(join(folder, "tls.key"))];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? "");
    answers[request.url ?? ""]?.(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close().closeAllConnections());
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuers = Object.keys(answers).map(
    (path) =>
      `- { issuer: "${path}", audience: a, jwks_url: "${address}${path}", name_claim: sub, roles_claim: r, roles: {} }`,
  );
  writeFileSync(join(folder, "access.yaml"), ["issuers:", ...issuers].join("\n"));
  using access = await openAccess(join(folder, "access.yaml"), { log: createLog("test", "fatal") });
  const outcome = async (issuer: string, kid = "1") => {
    const claims = new SignJWT({ iss: issuer, aud: "a", sub: "ada" }).setExpirationTime("1h");
    const token = await claims.setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
    return access.callerOf({ authorization: `Bearer ${token}` }).then(
      ({ name }) => name,
      (error: unknown) => (error instanceof PretrainError ? error.reason : String(error)),
    );
  };
  assert.deepEqual(await Promise.all([outcome("/keys"), outcome("/keys"), outcome("/keys")]), ["ada", "ada", "ada"]);
  assert.equal(await outcome("/keys", "2"), "TOKEN_REFUSED"); // of a key that nobody published: not asked for again so soon
  assert.deepEqual(asked, ["/keys"]);
  for (const path of ["/moved", "/large", "/broken"]) assert.equal(await outcome(path), "ISSUER_UNREACHABLE", path);
  assert.deepEqual(asked, ["/keys", "/moved", "/large", "/broken"]); // whereto `/moved` leads was not asked
});
