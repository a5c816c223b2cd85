/** What tests need of the machine: a folder of their own, a port nobody uses, and patience with a limit. */
export { freePort } from "./free-port.ts";
export { type TestScope, temporaryDirectory } from "./temporary-directory.ts";
export { until } from "./until.ts";
