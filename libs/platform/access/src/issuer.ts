/** Tokens of an OpenID Connect issuer: JWTs, signed by keys that the issuer publishes. */
import { messageOf, Unauthenticated, Unavailable } from "@pretrain/errors";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from "jose";
import type { IssuerEntry } from "./access-file.ts";
import type { Caller } from "./caller.ts";
import { fetchKeys } from "./fetch-keys.ts";

/** Signatures by a private key only: with `none` or a shared secret whoever knows the public key could sign. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** Clocks of two machines differ. */
const clockToleranceSeconds = 30;
const keysFreshMs = 600_000;
/** Tokens of unknown keys make it ask again, but not more often. */
const askAgainAfterMs = 30_000;
const callerName = /^[^\p{C}]{1,256}$/u;

export interface Issuer {
  readonly issuer: string;
  /**
   * @throws Unauthenticated TOKEN_REFUSED: not signed by this issuer, not for this installation, not valid now, or without a name
   * @throws Unavailable ISSUER_UNREACHABLE: its keys are not known, and cannot be had
   */
  callerOf(token: string): Promise<Caller>;
}

export function openIssuer(entry: IssuerEntry): Issuer {
  const keys = entry.keys instanceof URL ? remote(entry.keys) : createLocalJWKSet(entry.keys);
  const { issuer, audience, nameClaim } = entry;
  const options = {
    issuer,
    audience,
    algorithms,
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ["exp", nameClaim],
  };
  return {
    issuer,
    async callerOf(token) {
      const { payload } = await jwtVerify(token, keys, options).catch((cause: unknown) => {
        throw isAboutToken(cause) ? refused(issuer, messageOf(cause), cause) : unreachable(issuer, cause);
      });
      const name = payload[nameClaim];
      if (typeof name !== "string" || !callerName.test(name))
        throw refused(issuer, `its claim ${nameClaim} is no name`);
      return { kind: "person", name, grants: grantsOf(entry, payload) };
    },
  };
}

/** Roles that the issuer gives and the file does not know give nothing. */
function grantsOf({ rolesClaim, roles }: IssuerEntry, payload: JWTPayload) {
  const claimed = claimAt(payload, rolesClaim);
  const values = Array.isArray(claimed) ? (claimed as unknown[]) : [claimed];
  return values.flatMap((value) =>
    typeof value === "string" && Object.hasOwn(roles, value) ? (roles[value] ?? []) : [],
  );
}

/** A claim of that name, or one inside others: Keycloak's roles are `realm_access.roles`. Names of claims may have dots, too. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split(".").reduce<unknown>((inside, part) => {
    return typeof inside === "object" && inside !== null && Object.hasOwn(inside, part)
      ? (inside as Record<string, unknown>)[part]
      : undefined;
  }, payload);
}

function remote(url: URL) {
  return createRemoteJWKSet(url, {
    cacheMaxAge: keysFreshMs,
    cooldownDuration: askAgainAfterMs,
    [customFetch]: fetchKeys,
  });
}

/** Everything else that jose throws is about the keys: not there, not readable. */
function isAboutToken(thrown: unknown): boolean {
  return (
    thrown instanceof errors.JOSEError &&
    !(thrown instanceof errors.JWKSTimeout) &&
    !(thrown instanceof errors.JWKSInvalid) &&
    thrown.code !== "ERR_JOSE_GENERIC"
  );
}

function refused(issuer: string, why: string, cause?: unknown): Unauthenticated {
  const message = `the token of ${issuer} is refused: ${why}; sign in again`;
  return new Unauthenticated("TOKEN_REFUSED", message, { issuer }, { cause });
}

function unreachable(issuer: string, cause: unknown): Unavailable {
  const message = `the keys of ${issuer} cannot be had: ${messageOf(cause)}; call again`;
  return new Unavailable("ISSUER_UNREACHABLE", message, { issuer }, { cause });
}
