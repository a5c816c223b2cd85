/** Loopback ports for servers that must be told a number before they start. */
export { freePort, freePorts } from "./free-ports.ts";
