/** A process's settings, read once from the environment; every bad variable is reported at once. */
export { readConfig, type Variable, type Variables, variable } from "./read-config.ts";
export { serviceVariables } from "./service-variables.ts";
export { address, blobStoreUrl, count, folders, logLevel, natsUrl, optional, path } from "./value-kinds.ts";
