/** What a process shows of itself: log lines, metrics, whether it is healthy, and why it ended. */

export { tellDisks } from "./disk-metrics.ts";
export { exitOnFatalError } from "./fatal-error.ts";
export { type Guard, type HttpServer, serveHttp } from "./http-server.ts";
export { type ListenOptions, listen } from "./listen.ts";
export { createLog, type Log } from "./log.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export type { Route } from "./routes.ts";
export { waitFor } from "./wait-for.ts";
