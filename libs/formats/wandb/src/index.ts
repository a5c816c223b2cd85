/** The log of a run that Weights & Biases keeps while it is offline. Bytes only; who writes them is a caller's. */
export { type RunBeginning, RunLog } from "./run-log.ts";
