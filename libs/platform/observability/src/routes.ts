/** Which request may be answered, and by what. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";

/** Answers GET and HEAD of one path, or of all paths below a prefix that ends in `/`. */
export interface Route {
  readonly path: string;
  readonly handle: (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;
}

/** The route with the longest matching path. */
export function routeOf(routes: readonly Route[], pathname: string): Route | undefined {
  const matching = routes.filter(({ path }) => path === pathname || (path.endsWith("/") && pathname.startsWith(path)));
  return matching.sort((a, b) => b.path.length - a.path.length)[0];
}

/**
 * The URL of the request, or undefined when the server must not answer it. A page of a foreign site can make a browser call us
 * under its own name (DNS rebinding), so only names are trusted that nobody else can own: an IP address or `localhost`. For the
 * same reason an Origin, where a browser sends one, must be our own.
 */
export function trustedUrl(request: IncomingMessage): URL | undefined {
  const { host, origin } = request.headers;
  if (host === undefined || !isUnownable(host)) return undefined;
  if (origin !== undefined && origin !== `http://${host}`) return undefined;
  return URL.parse(request.url ?? "/", `http://${host}`) ?? undefined;
}

function isUnownable(host: string): boolean {
  const hostname = URL.parse(`http://${host}`)?.hostname ?? "";
  return hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}
