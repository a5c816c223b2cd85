/** A queue on the disk: what must be sent, kept until the last in the chain has confirmed it. */

export type { SpoolLoss } from "./read-segment.ts";
export { openSpool, type Spool, type SpoolOptions, spoolBytes, spoolContent } from "./spool.ts";
export type { SpoolRecord } from "./spool-record.ts";
