/** Which request may be answered, and by what. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";

/** Answers one path, or all paths below a prefix that ends in `/`. */
export interface Route {
  readonly path: string;
  /** GET, and HEAD with it, if not given. */
  readonly method?: "GET" | "POST";
  /** Answered whoever asks, also where a guard lets only some in: health, or the page where one says who one is. */
  readonly isOpen?: boolean;
  readonly handle: (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;
}

type Method = NonNullable<Route["method"]>;

/** The route of that method with the longest matching path. */
export function routeOf(routes: readonly Route[], method: Method, pathname: string): Route | undefined {
  const matching = routes.filter(
    (route) =>
      (route.method ?? "GET") === method &&
      (route.path === pathname || (route.path.endsWith("/") && pathname.startsWith(route.path))),
  );
  return matching.sort((a, b) => b.path.length - a.path.length)[0];
}

/** What a path answers, for the header Allow; empty: it is no path at all. */
export function allowedMethods(routes: readonly Route[], pathname: string): string {
  const reads = routeOf(routes, "GET", pathname) === undefined ? [] : ["GET", "HEAD"];
  const writes = routeOf(routes, "POST", pathname) === undefined ? [] : ["POST"];
  return [...reads, ...writes].join(", ");
}

export interface Naming {
  /** The server speaks TLS. */
  readonly isSecured: boolean;
  /** Host names that are ours, in lower case: those by which people open the page, with or without a proxy before it. */
  readonly publicNames: readonly string[];
}

/**
 * The URL of the request, or undefined when the server must not answer it. A page of a foreign site can make a browser call us
 * under its own name (DNS rebinding), so only names are trusted that nobody else can own: an IP address, `localhost`, and those that we
 * were told are ours. For the same reason an Origin, where a browser sends one, must be our own. A public name is always `https`: where
 * this server does not speak it, a proxy does.
 */
export function trustedUrl(request: IncomingMessage, { isSecured, publicNames }: Naming): URL | undefined {
  const { host, origin } = request.headers;
  const hostname = URL.parse(`http://${host}`)?.hostname;
  if (host === undefined || hostname === undefined) return undefined;
  const isPublic = publicNames.includes(hostname);
  if (!isPublic && !isUnownable(hostname)) return undefined;
  const own = `${isSecured || isPublic ? "https" : "http"}://${host}`;
  if (origin !== undefined && origin !== own) return undefined;
  return URL.parse(request.url ?? "/", own) ?? undefined;
}

/**
 * Whether a request that changes something comes from a page of our own. Browsers say where a POST comes from; a request that does not
 * say it may be somebody else's form, and programs have gRPC. @param request one with a `trustedUrl`
 */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return headers.origin !== undefined && (site === undefined || site === "same-origin");
}

function isUnownable(hostname: string): boolean {
  return hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}
