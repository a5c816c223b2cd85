/** Weights whose losses are known without computing them: what a scorer finds with them shows whether it scores rightly. */
export { cycleLength, type Oracle, oracle } from "./oracle.ts";
export { zeroWeights } from "./zero-weights.ts";
