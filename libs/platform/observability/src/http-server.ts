/** The HTTP side of a service: `/healthz` for whoever starts and stops it, `/metrics` for Prometheus, and its own routes. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { allowedMethods, isFromOwnPage, type Route, routeOf, trustedUrl } from "./routes.ts";

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
  readonly log: Log;
}

const maximumConnections = 1024;

/** Serves GET and HEAD, and POST to pages of its own where a route has it. @throws FailedPrecondition ADDRESS_UNUSABLE, as `listen` says */
export async function serveHttp({ address, metrics, ready, routes = [], log }: HttpOptions): Promise<HttpServer> {
  const all = [...routes, healthRoute(ready), metricsRoute(metrics)];
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    (request, response) => void answer(all, request, response, log),
  );
  server.maxConnections = maximumConnections;
  const bound = await listen(server, address, "PRETRAIN_HTTP_ADDRESS");
  return {
    address: bound,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections(); // event streams would never end by themselves
      }),
  };
}

async function answer(routes: readonly Route[], request: IncomingMessage, response: ServerResponse, log: Log) {
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Security-Policy", "default-src 'none'"); // a route with a page sets its own
  response.setHeader("Referrer-Policy", "no-referrer");
  const url = trustedUrl(request);
  if (url === undefined) return text(response, 403, "this address is not served under that name\n");
  const route = routeFor(routes, request, url);
  if (route === undefined) return withoutRoute(routes, response, url);
  if (route.method === "POST" && !isFromOwnPage(request))
    return text(response, 403, "only this server's own page may send that; programs have gRPC\n");
  try {
    await route.handle(request, response, url);
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
    async handle(_request, response) {
      const isReady = await ready();
      text(response, isReady ? 200 : 503, isReady ? "serving\n" : "not serving\n");
    },
  };
}

function metricsRoute(metrics: Metrics): Route {
  return {
    path: "/metrics",
    async handle(_request, response) {
      const { body, contentType } = await metrics.exposition();
      response.writeHead(200, { "Content-Type": contentType }).end(body);
    },
  };
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(body);
}
