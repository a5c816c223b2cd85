import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type EarlyStopping, earlyStop, earlyStopFields, earlyStopText } from "./early-stopping.ts";

/** Results by micro-step: a loss, `failed`, or nothing yet. */
type Result = number | "failed" | undefined;

const measured = (...results: readonly Result[]) =>
  results.map((found, i) => ({
    microStep: 40 * (i + 1),
    result: found === undefined ? undefined : { lossNatsPerToken: found === "failed" ? undefined : found },
  }));

const after = (patience: number, minDelta = 0): EarlyStopping => ({ patience, minDelta });

for (const [claim, results, rule, expected] of [
  ["patience 0 never stops", [3, 4, 5, 6], after(0), undefined],
  ["losses that fall go on", [3, 2.9, 2.8, 2.7], after(1), undefined],
  ["nothing measured goes on", [], after(1), undefined],
  ["the second in a row that is no better decides, not a later one", [3, 2, 2.5, 2.1, 1], after(2), [160, 2, 80, 2]],
  ["an improvement in between counts anew", [3, 3.1, 2.9, 3, 2.8], after(2), undefined],
  ["an equal loss is no improvement", [3, 3], after(1), [80, 1, 40, 3]],
  ["lower by min_delta is not lower by more than it", [3, 2.5], after(1, 0.5), [80, 1, 80, 2.5]],
  ["small steps down are measured from the last improvement", [3, 2.75, 2.25], after(2, 0.5), undefined],
  ["the best is the lowest loss, also when it improved too little", [3, 2.6, 2.58, 2.59], after(2, 0.05), [160, 2, 120, 2.58]], // biome-ignore format: one line
  ["of equal losses the earliest is the best", [2, 2, 2], after(2), [120, 2, 40, 2]],
  ["a failed evaluation is no result", [3, "failed", 3.1, "failed"], after(2), undefined],
  ["nor does it break a row", [3, 3.1, "failed", 3.2], after(2), [160, 2, 40, 3]],
  ["what is behind one that is not measured yet waits for it", [3, undefined, 3.1, 3.2], after(2), undefined],
  ["and not what is before it", [3, 3.1, 3.2, undefined], after(2), [120, 2, 40, 3]],
] as const satisfies readonly (readonly [string, readonly Result[], EarlyStopping, readonly number[] | undefined])[]) {
  test(claim, () => {
    const decision = earlyStop(measured(...results), rule);
    const { microStep, results: count, best } = decision ?? {};
    const found = decision && [microStep, count, best?.microStep, best?.lossNatsPerToken];
    assert.deepEqual(found, expected);
  });
}

test("whatever the order in which results arrive, the decision is the one of all of them", () => {
  const loss = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant("failed" as const));
  const run = fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 10, maxLength: 10 }); // an order of arrival
  fc.assert(
    fc.property(
      fc.array(loss, { minLength: 10, maxLength: 10 }),
      run,
      fc.integer({ min: 1, max: 4 }),
      (all, order, n) => {
        const whole = earlyStop(measured(...all), after(n));
        const known: Result[] = all.map(() => undefined);
        for (const index of order) {
          known[index] = all[index];
          const decision = earlyStop(measured(...known), after(n));
          if (decision !== undefined) assert.deepEqual(decision, whole);
        }
        assert.deepEqual(earlyStop(measured(...known), after(n)), whole);
      },
    ),
  );
});

test("the record says by which results it was decided, and which checkpoint to take", () => {
  const best = { microStep: 120, lossNatsPerToken: 2.58 };
  const fields = earlyStopFields("1-4-0", { microStep: 200, results: 2, best });
  assert.equal(
    earlyStopText(fields),
    "stopped early: 2 results in a row up to micro-step 200 did not improve; " +
      "best is experiments/1-4-0/checkpoints/120 with 2.5800 nats per token",
  );
});
