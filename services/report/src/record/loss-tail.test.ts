/** The level that training ends at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "@pretrain/golden";
import { stepOf } from "../test-support/plain-step.ts";
import { LossTail } from "./loss-tail.ts";

function tailOf(losses: readonly number[], tokens: (index: number) => number = () => 10) {
  const tail = new LossTail();
  losses.forEach((loss, index) => {
    const lossTokens = tokens(index);
    tail.read(stepOf({ microStep: index + 1, lossNats: loss * lossTokens, lossTokens }));
  });
  return tail.summary();
}

test("the last tenth of thirty micro-steps is three: 3, 2 and 4, whose mean is 3 and whose deviation is 1", () => {
  const { microSteps, loss, deviation, slope } = tailOf([...Array(27).fill(9), 3, 2, 4]);
  assert.deepEqual([microSteps, loss, deviation], [3, 3, 1]);
  assertClose(slope ?? 0, 500, 1e-9); // from 3 to 4 in two micro-steps by least squares: 0.5 each, 500 in a thousand
});

test("its level is nats over tokens, where its deviation is of the micro-steps", () => {
  const { loss, deviation } = tailOf([...Array(18).fill(9), 4, 2], (index) => (index === 18 ? 30 : 10));
  assert.deepEqual([loss, deviation], [140 / 40, Math.SQRT2]);
});

test("of a long run it is the last thousand, in their order, and no more is kept", () => {
  const { microSteps, loss, slope } = tailOf(Array.from({ length: 25_300 }, (_, index) => index));
  assert.equal(microSteps, 1000);
  assertClose([loss ?? 0, slope ?? 0], [24_799.5, 1000], 1e-6);
});

test("nothing has no level, and one micro-step no deviation and no slope", () => {
  assert.deepEqual(tailOf([]), { microSteps: 0, loss: undefined, deviation: undefined, slope: undefined });
  assert.deepEqual(tailOf([2]), { microSteps: 1, loss: 2, deviation: undefined, slope: undefined });
});
