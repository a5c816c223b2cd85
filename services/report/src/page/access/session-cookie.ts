/**
 * A session is a cookie and nothing else: the token that the person gave, sealed, with an end. The service keeps no list, so a restart
 * ends no session; the browser keeps nothing that could be used anywhere else. A session ends early when its token does: who is taken out
 * of the access file is out with the next request.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
/** What is sealed with the key for another purpose, or in another form, is no session. */
const purpose = Buffer.from("pretrain page session 1");

/** A working day, in seconds. */
export const sessionSeconds = 12 * 3600;

/** Longest token that fits into a cookie, sealed: browsers take 4096 bytes. */
export const longestSessionToken = 2800;

/** @param key 32 bytes @param token as the person gave it @returns text that fits into a cookie */
export function sealSession(key: Buffer, token: string, nowMs: number): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(purpose);
  const content = JSON.stringify({ token, endsMs: nowMs + sessionSeconds * 1000 });
  return Buffer.concat([nonce, cipher.update(content, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
    "base64url",
  );
}

/** The token of a session; undefined when it has ended, was made with another key, or was changed. */
export function tokenOfSession(key: Buffer, sealed: string, nowMs: number): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length <= nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(purpose).setAuthTag(bytes.subarray(-tagBytes));
  try {
    const content = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    const { token, endsMs } = JSON.parse(content.toString("utf8"));
    return endsMs > nowMs ? token : undefined;
  } catch {
    return undefined; // not sealed by us
  }
}

/**
 * What `Set-Cookie` says. Scripts cannot read it, and no request that another site begins carries it. Over HTTPS its name promises the
 * browser's own checks: a neighbour below the same domain cannot put one of his in its place.
 * @param sealed empty: the session ends
 */
export function sessionCookie(sealed: string, isSecured: boolean): string {
  const age = sealed === "" ? 0 : sessionSeconds;
  return `${cookieName(isSecured)}=${sealed}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecured ? "; Secure" : ""}`;
}

/** The sealed session among the cookies of a request; undefined when there is none. @param cookies the header `Cookie` */
export function sessionIn(cookies: string | undefined, isSecured: boolean): string | undefined {
  const start = `${cookieName(isSecured)}=`;
  const found = cookies?.split("; ").find((each) => each.startsWith(start));
  return found?.slice(start.length);
}

function cookieName(isSecured: boolean): string {
  return isSecured ? "__Host-pretrain" : "pretrain";
}
