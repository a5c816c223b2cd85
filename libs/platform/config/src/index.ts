/** A process's settings, read once from the environment; every bad variable is reported at once. */
export { readConfig, type Variable, type Variables, variable } from "./read-config.ts";
export { serviceVariables } from "./service-variables.ts";
export {
  address,
  blobStoreUrl,
  count,
  folders,
  hostNames,
  label,
  logLevel,
  natsUrl,
  oneOf,
  optional,
  path,
} from "./value-kinds.ts";
export { employerVariables, environmentOfWorker, workerVariables } from "./worker-variables.ts";
