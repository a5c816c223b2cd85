/** Logging in with a key, logging out, and who one is. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "@pretrain/access";
import { InvalidArgument, PermissionDenied, PretrainError, ResourceExhausted, Unauthenticated } from "@pretrain/errors";
import type { Log, Route } from "@pretrain/observability";
import { experimentId, experimentName } from "@pretrain/recipe";
import { jsonBody } from "../actions/json-body.ts";
import { answering, sendJson } from "../answering.ts";
import { type PageFile, sendFile } from "../page-files.ts";
import { refuse } from "../refuse.ts";
import { LoginAttempts } from "./login-attempts.ts";
import { type PageAccess, personOf } from "./page-access.ts";
import { longestSessionToken, sealSession, sessionCookie } from "./session-cookie.ts";

/**
 * Without rights everybody may do everything: nobody logs in, and `/api/me` says that nobody is known.
 * @param files of the page, with `login.html`
 */
export function loginRoutes(
  pageAccess: PageAccess | undefined,
  files: ReadonlyMap<string, PageFile>,
  log: Log,
): Route[] {
  if (pageAccess === undefined) return [{ path: "/api/me", handle: (_request, response) => sendJson(response, "{}") }];
  const attempts = new LoginAttempts();
  return [
    { path: "/api/me", handle: answering((response, url, request) => me(pageAccess, request, response, url)) },
    { path: "/login", isOpen: true, handle: (_request, response) => sendFile(response, files, "login.html") },
    {
      path: "/api/login",
      method: "POST",
      isOpen: true,
      handle: (request, response, url) => logIn({ ...pageAccess, attempts, log }, request, response, url),
    },
    {
      path: "/api/logout",
      method: "POST",
      isOpen: true,
      handle: (_request, response, url) => done(response, sessionCookie("", isSecured(url))),
    },
  ];
}

/** `?experiment=1-4-0`: whether the person may also steer that one. */
async function me(pageAccess: PageAccess, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const person = await personOf(pageAccess, request, url);
  const experiment = url.searchParams.get("experiment");
  const hasSession = request.headers.authorization === undefined;
  const mayAct = experiment === null ? {} : { mayAct: maySteer(pageAccess, person, experiment) };
  sendJson(response, JSON.stringify({ name: person.name, hasSession, ...mayAct }));
}

function maySteer({ access }: PageAccess, person: Caller, experiment: string): boolean {
  try {
    const resource = experimentName(experimentId(experiment, "experiment"));
    access.expectAllowed(person, { role: "researcher", resource });
    return true;
  } catch (error) {
    if (error instanceof PermissionDenied) return false;
    throw error;
  }
}

interface LoggingIn extends PageAccess {
  readonly attempts: LoginAttempts;
  readonly log: Log;
}

/** `{ key }`: an API key, or a token that is short enough for a cookie. */
async function logIn(
  loggingIn: LoggingIn,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const { access, sessionKey, now, attempts, log } = loggingIn;
  const from = request.socket.remoteAddress ?? "";
  try {
    if (!attempts.take(from, now().getTime())) throw tooMany(from);
    const key = keyIn(await jsonBody(request));
    const person = await access.callerOf({ authorization: `Bearer ${key}` });
    attempts.forgive(from);
    log.info({ person: person.name, from }, "logged in at the page");
    done(response, sessionCookie(sealSession(sessionKey, key, now().getTime()), isSecured(url)));
  } catch (error) {
    if (!(error instanceof PretrainError)) throw error;
    log.warn({ from, reason: error.reason }, "a login at the page was refused");
    refuse(response, error);
  }
}

function keyIn(body: unknown): string {
  const { key } = Object(body);
  if (typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key))
    throw new Unauthenticated("UNKNOWN_KEY", "that is no key: a key is one word, as `pretrain keys create` shows it");
  if (key.length <= longestSessionToken) return key;
  const description = `is longer than ${longestSessionToken} characters; send it as \`Authorization: Bearer …\``;
  throw new InvalidArgument([{ field: "key", description }]);
}

function tooMany(address: string): ResourceExhausted {
  const message = "too many keys that are not known here came from your address; try again in a minute";
  return new ResourceExhausted("TOO_MANY_LOGINS", message, { address });
}

function done(response: ServerResponse, cookie: string): void {
  response.writeHead(204, { "Set-Cookie": cookie }).end();
}

function isSecured({ protocol }: URL): boolean {
  return protocol === "https:";
}
