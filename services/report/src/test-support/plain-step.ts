/** Test support: a step with nothing in it but what the test says. */
import type { Step } from "../record/history.ts";

export function stepOf(given: Partial<Step>): Step {
  const none = {
    optimizerStep: 0,
    tokensSeen: 0,
    tokens: 0,
    positions: 0,
    learningRate: 0,
    gradientNorm: null,
    clipScale: null,
  };
  const times = { timeMs: 0, dataMs: 0, forwardBackwardMs: 0, optimizerMs: 0, otherMs: 0, totalMs: 0 };
  return { attempt: 1, microStep: 1, epoch: 1, lossNats: 10, lossTokens: 10, ...none, ...times, ...given };
}
