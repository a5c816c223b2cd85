/** The access file in use, read anew when it changes; and who somebody is by it. */
import { messageOf, Unauthenticated } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { decodeJwt } from "jose";
import { type AccessFile, isUnchanged, readAccessFile } from "./access-file.ts";
import { holderOf, isApiKey } from "./api-keys.ts";
import type { Caller } from "./caller.ts";
import { expectAllowed, type Requirement } from "./expect-allowed.ts";
import { type Issuer, openIssuer } from "./issuer.ts";

/** What a caller shows. */
export interface Credentials {
  /** The header of that name: `Bearer …`. */
  readonly authorization?: string | undefined;
  /** Common name of a certificate that the authority signed. */
  readonly certificateName?: string | undefined;
}

export interface Access extends Disposable {
  /**
   * A token goes before a certificate: who shows one acts for its holder, and a token that does not count is nobody's.
   *
   * @throws Unauthenticated NO_CREDENTIALS, UNKNOWN_KEY, TOKEN_REFUSED
   * @throws Unavailable ISSUER_UNREACHABLE: the keys of the token's issuer cannot be had now
   */
  callerOf(credentials: Credentials): Promise<Caller>;
  /** @throws PermissionDenied naming the role and the resource that it would take */
  expectAllowed(caller: Caller, requirement: Requirement): void;
}

interface Options {
  readonly log: Log;
  /** Between two looks at the file, 5 s if not given. */
  readonly lookEveryMs?: number;
}

interface Rules {
  readonly file: AccessFile;
  readonly issuers: ReadonlyMap<string, Issuer>;
}

const maximumTokenLength = 8192;

/**
 * Reads the file, and goes on reading it: whoever is taken out of it is not known a few seconds later. A file that cannot be used by then
 * is told in the log, and the one before stays in use: a slip of the pen neither locks everybody out nor lets anybody in.
 *
 * @throws InvalidArgument naming the file and every place in it that is faulty, when it cannot be used at the start
 */
export function openAccess(path: string, { log, lookEveryMs = 5_000 }: Options): Promise<Access> {
  return Promise.try(() => {
    let rules = rulesOf(readAccessFile(path));
    let refusedBefore = "";
    const look = () => {
      try {
        const file = isUnchanged(rules.file) ? rules.file : readAccessFile(path);
        refusedBefore = "";
        if (file === rules.file) return;
        rules = rulesOf(file);
        log.info({ path, callers: file.holders.length, issuers: file.issuers.length }, "who may do what was read anew");
      } catch (error) {
        const reason = messageOf(error);
        if (reason !== refusedBefore)
          log.error({ path, reason }, "the access file cannot be used; the one before stays in use");
        refusedBefore = reason;
      }
    };
    const timer = setInterval(look, lookEveryMs).unref();
    return {
      callerOf: (credentials) => callerOf(rules, credentials),
      expectAllowed,
      [Symbol.dispose]: () => clearInterval(timer),
    };
  });
}

function rulesOf(file: AccessFile): Rules {
  return { file, issuers: new Map(file.issuers.map((entry) => [entry.issuer, openIssuer(entry)])) };
}

async function callerOf(rules: Rules, { authorization, certificateName }: Credentials): Promise<Caller> {
  if (authorization !== undefined) return await holderOfToken(rules, tokenIn(authorization));
  if (certificateName !== undefined) return { kind: "process", name: certificateName };
  const message = "nobody is known by this call; show a key or a token as `authorization: Bearer …`, or a certificate";
  throw new Unauthenticated("NO_CREDENTIALS", message);
}

function tokenIn(authorization: string): string {
  const token = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
  if (token !== undefined && token.length <= maximumTokenLength) return token;
  throw new Unauthenticated("TOKEN_REFUSED", "`authorization` is not `Bearer` and a token of 8192 characters at most");
}

async function holderOfToken({ file, issuers }: Rules, token: string): Promise<Caller> {
  if (isApiKey(token)) {
    const holder = holderOf(token, file.holders);
    if (holder !== undefined) return { kind: "person", name: holder.name, grants: holder.grants };
    throw new Unauthenticated("UNKNOWN_KEY", "the key is not known here, or no longer; ask who keeps the access file");
  }
  const issuer = issuers.get(issuerIn(token) ?? "");
  if (issuer !== undefined) return await issuer.callerOf(token);
  throw new Unauthenticated("TOKEN_REFUSED", "the token is neither a key nor of an issuer that is known here");
}

/** What the token says of itself, before anything of it is believed. */
function issuerIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
