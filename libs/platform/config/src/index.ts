/** A process's settings, read once from the environment; every bad variable is reported at once. */
export { readConfig, type Variable, type Variables, variable } from "./read-config.ts";
export { address, blobStoreUrl, count, folder, folders, logLevel, natsUrl } from "./value-kinds.ts";
