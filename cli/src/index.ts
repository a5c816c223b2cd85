/** What other programs may use of the command line: the whole system on one machine, and its parts one by one. */
export { type ServiceAddresses, serviceAddresses } from "./local-system/addresses.ts";
export {
  type LocalSystem,
  type LocalSystemOptions,
  startLocalSystem,
} from "./local-system/local-system.ts";
export { type ServiceProcess, startService } from "./local-system/service-process.ts";
export { environmentOf, type ServiceName, serviceNames } from "./local-system/services.ts";
