/**
 * Who looks at the page, and whether that one may. A person is known by a token: of the session in the cookie, or in `Authorization`,
 * which a proxy before the page sets for everybody whom it has let in, and programs for themselves.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access, Caller } from "@pretrain/access";
import { PretrainError, Unauthenticated } from "@pretrain/errors";
import type { Guard } from "@pretrain/observability";
import { experimentId, experimentName } from "@pretrain/recipe";
import { refuse } from "../refuse.ts";
import { sessionIn, tokenOfSession } from "./session-cookie.ts";

export interface PageAccess {
  readonly access: Access;
  /** Of the session cookies: 32 bytes. */
  readonly sessionKey: Buffer;
  readonly now: () => Date;
}

/** A reader of the live stream is asked anew who he is: the stream ends, and browsers connect again by themselves. */
const longestStreamMs = 15 * 60_000;

/** Lets those in who may read what the address names; what an action does is judged by the service that does it. */
export function pageGuard(pageAccess: PageAccess): Guard {
  return async (request, response, url) => {
    try {
      expectReader(pageAccess.access, await personOf(pageAccess, request, url), url);
      if (url.pathname === "/api/live") endAfter(response, longestStreamMs);
      return true;
    } catch (error) {
      if (error instanceof Unauthenticated && isOfAPerson(request)) toLogin(response, url);
      else if (error instanceof PretrainError) refuse(response, error);
      else throw error;
      return false;
    }
  };
}

/** @throws Unauthenticated when nobody is known by the request */
export function personOf(pageAccess: PageAccess, request: IncomingMessage, url: URL): Promise<Caller> {
  return pageAccess.access.callerOf({ authorization: authorizationOf(pageAccess, request, url) });
}

/** What peers are told of whoever asks: they judge the person. */
export function headersOf(
  pageAccess: PageAccess | undefined,
  request: IncomingMessage,
  url: URL,
): Record<string, string> {
  const authorization = pageAccess && authorizationOf(pageAccess, request, url);
  return authorization === undefined ? {} : { authorization };
}

/** `Bearer …` of whoever asks; undefined when the request says nothing of it. */
function authorizationOf({ sessionKey, now }: PageAccess, { headers }: IncomingMessage, url: URL): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const sealed = sessionIn(headers.cookie, url.protocol === "https:");
  const token = sealed === undefined ? undefined : tokenOfSession(sessionKey, sealed, now().getTime());
  return token === undefined ? undefined : `Bearer ${token}`;
}

/**
 * Of an experiment its readers, of everything that shows several all readers of everything. The page itself shows nothing, and an action
 * is judged where it is done: for these it is enough to be somebody.
 */
function expectReader(access: Access, person: Caller, { pathname }: URL): void {
  const [, id] = /^\/(?:api\/)?experiments\/([^/]+)/.exec(pathname) ?? [];
  const isJudgedLater = pathname === "/api/me" || /^\/api\/actions\/(?!check-)/.test(pathname);
  const isPage = !pathname.startsWith("/api/") && !/^\/(experiments\/[^/]+|compare)\/./.test(pathname);
  const isAnybody = person.kind === "person" && person.grants.length > 0; // each role may read something
  if ((isJudgedLater || isPage) && isAnybody) return;
  const resource = id === undefined ? undefined : experimentName(experimentId(id, "experiment"));
  access.expectAllowed(person, { role: "viewer", resource });
}

/** A browser that goes to a page, not a script of it or a program. */
function isOfAPerson({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.authorization === undefined && (headers.accept ?? "").includes("text/html");
}

function toLogin(response: ServerResponse, { pathname, search }: URL): void {
  const parameters = new URLSearchParams({ to: pathname + search });
  response.writeHead(303, { Location: `/login?${parameters.toString()}` }).end();
}

function endAfter(response: ServerResponse, ms: number): void {
  const timer = setTimeout(() => response.end(), ms);
  response.once("close", () => clearTimeout(timer));
}
