/** What tests need of the machine: a folder of their own, patience with a limit, and a network that fails. */
export { FaultProxy, startFaultProxy } from "./fault-proxy.ts";
export { filledMessage } from "./filled-message.ts";
export type { FuzzTarget } from "./fuzz-target.ts";
export { jumpingDateModule } from "./jumping-date-module.ts";
export { type TestScope, temporaryDirectory } from "./temporary-directory.ts";
export { until } from "./until.ts";
