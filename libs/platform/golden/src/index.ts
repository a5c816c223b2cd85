/** Test support: the golden sets, and the comparison of numbers. */
export { assertClose, type Tolerance } from "./assert-close.ts";
export { type GoldenKind, type GoldenSet, goldenSets } from "./golden-sets.ts";
export { goldenTest } from "./golden-test.ts";
