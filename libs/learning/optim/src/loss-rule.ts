/** Several micro-steps make the gradient of one optimizer step; the loss rule says how much each of them counts. */

/**
 * `micro_mean`: the mean over micro-steps of each one's token mean, so a token in a short batch weighs more.
 * `token_weighted`: the mean over all tokens of the optimizer step.
 */
export type LossRule = "micro_mean" | "token_weighted";

/** What the gradient of a micro-step's loss sum is multiplied with before it is added to the others. @param tokens its targets */
export function shareOf(rule: LossRule, tokens: number): number {
  return rule === "micro_mean" ? reciprocal(tokens) : 1;
}

/** What a micro-step adds to the number that the sum of all is divided by in the end: `reciprocal` of that makes it a mean. */
export function weightOf(rule: LossRule, tokens: number): number {
  return rule === "micro_mean" ? 1 : tokens;
}

/** 1 / count, and 0 for a count of 0: what has no token has no gradient either, not NaN. */
export function reciprocal(count: number): number {
  return count === 0 ? 0 : 1 / count;
}
