/** The loss of every token that an evaluation scored, kept: what comparisons read, and what each of its sums can be added up from. */

export type { KeptLosses, LossesOrigin, RowLosses } from "./kept-losses.ts";
export { decodeLosses, encodeLosses } from "./losses-file.ts";
export { type LossesFile, readLosses, writeLosses } from "./stored-losses.ts";
