/** The HTTP side of a service: `/healthz` for whoever starts and stops it, `/metrics` for Prometheus, and its own routes. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createSecuredServer } from "node:https";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { allowedMethods, isFromOwnPage, type Naming, type Route, routeOf, trustedUrl } from "./routes.ts";

/** The certificate of this process, as `@pretrain/tls` reads it, which stands on this library. */
interface Certified {
  readonly material: { readonly certificate: string; readonly key: string };
  onChange(listener: (material: Certified["material"]) => void): void;
}

/** Whether a route that is not open may answer. Where it may not, the guard has answered. */
export type Guard = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>;

export interface HttpServer extends AsyncDisposable {
  /** `host:port`, with the real port. */
  readonly address: string;
}

export interface HttpOptions {
  /** `host:port`, from PRETRAIN_HTTP_ADDRESS. */
  readonly address: string;
  readonly metrics: Metrics;
  /** Whether the service can do its work now; `/healthz` answers 200 or 503 by it. */
  readonly ready: () => boolean | Promise<boolean>;
  readonly routes?: readonly Route[];
  /** Given: HTTPS, with whatever certificate is there by then. */
  readonly tls?: Certified | undefined;
  /** Asked before each route that is not open. None: everybody may who reaches it. */
  readonly guard?: Guard | undefined;
  /** Host names, in lower case, that requests may carry beside `localhost` and IP addresses. */
  readonly publicNames?: readonly string[];
  readonly log: Log;
}

const maximumConnections = 1024;
const limits: ServerOptions = {
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
};
/** How long, in seconds, a browser that was here once comes back by HTTPS alone: a year. */
const strictTransport = `max-age=${365 * 24 * 3600}`;

/**
 * Serves GET and HEAD, and POST to pages of its own where a route has it.
 * @throws FailedPrecondition as `listen` says: ADDRESS_EXPOSED beyond this machine without TLS, or with routes that nobody guards
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { address, metrics, ready, routes = [], tls, guard, publicNames = [], log } = options;
  const all = [...routes, healthRoute(ready), metricsRoute(metrics)];
  const naming = { isSecured: tls !== undefined, publicNames };
  const server = createHttpServer(
    tls,
    (request, response) => void answer({ all, naming, guard, log }, request, response),
  );
  server.maxConnections = maximumConnections;
  const isUnguarded = guard === undefined && routes.some(({ isOpen }) => isOpen !== true);
  const missing = [...(tls === undefined ? ["PRETRAIN_TLS"] : []), ...(isUnguarded ? ["PRETRAIN_ACCESS"] : [])];
  const bound = await listen(server, { address, variable: "PRETRAIN_HTTP_ADDRESS", missing });
  return {
    address: bound,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections(); // event streams would never end by themselves
      }),
  };
}

function createHttpServer(
  tls: Certified | undefined,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  if (tls === undefined) return createServer(limits, handle);
  const shown = ({ certificate, key }: Certified["material"]) => ({ cert: certificate, key });
  const server = createSecuredServer({ ...limits, ...shown(tls.material) }, handle);
  tls.onChange((material) => server.setSecureContext(shown(material))); // for connections from then on
  return server;
}

interface Answering {
  readonly all: readonly Route[];
  readonly naming: Naming;
  readonly guard: Guard | undefined;
  readonly log: Log;
}

async function answer({ all, naming, guard, log }: Answering, request: IncomingMessage, response: ServerResponse) {
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Security-Policy", "default-src 'none'"); // a route with a page sets its own
  response.setHeader("Referrer-Policy", "no-referrer");
  const url = trustedUrl(request, naming);
  if (url === undefined) return text(response, 403, "this address is not served under that name\n");
  if (url.protocol === "https:") response.setHeader("Strict-Transport-Security", strictTransport);
  const route = routeFor(all, request, url);
  if (route === undefined) return withoutRoute(all, response, url);
  if (route.method === "POST" && !isFromOwnPage(request))
    return text(response, 403, "only this server's own page may send that; programs have gRPC\n");
  try {
    const isLetIn = route.isOpen === true || guard === undefined || (await guard(request, response, url));
    if (isLetIn) await route.handle(request, response, url);
  } catch (err) {
    log.error({ err, path: url.pathname }, "http request failed");
    if (response.headersSent) response.destroy();
    else text(response, 500, "the page could not be made; the service's log says why\n");
  }
}

function routeFor(routes: readonly Route[], { method }: IncomingMessage, { pathname }: URL): Route | undefined {
  if (method === "POST") return routeOf(routes, "POST", pathname);
  return method === "GET" || method === "HEAD" ? routeOf(routes, "GET", pathname) : undefined;
}

function withoutRoute(routes: readonly Route[], response: ServerResponse, { pathname }: URL): void {
  const allowed = allowedMethods(routes, pathname);
  if (allowed === "") return text(response, 404, "there is no such page\n");
  response.setHeader("Allow", allowed);
  text(response, 405, `only ${allowed} are served here\n`);
}

function healthRoute(ready: HttpOptions["ready"]): Route {
  return {
    path: "/healthz",
    isOpen: true,
    async handle(_request, response) {
      const isReady = await ready();
      text(response, isReady ? 200 : 503, isReady ? "serving\n" : "not serving\n");
    },
  };
}

function metricsRoute(metrics: Metrics): Route {
  return {
    path: "/metrics",
    isOpen: true,
    async handle(_request, response) {
      const { body, contentType } = await metrics.exposition();
      response.writeHead(200, { "Content-Type": contentType }).end(body);
    },
  };
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(body);
}
