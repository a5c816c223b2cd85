import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KnownCheckpoint, type Retention, toRemove } from "./retention-rule.ts";

const measured = (microStep: number, lossNatsPerToken?: number): KnownCheckpoint => ({
  microStep,
  final: false,
  result: { lossNatsPerToken },
});
const run = [measured(40, 3.1), measured(80, 2.9), measured(120, 2.2), measured(160, 2.4), measured(200, 2.5), measured(240, 2.6)]; // biome-ignore format: a table

for (const [claim, retention, expected] of [
  ["nothing is said: all are kept", { keepLast: 0, keepBest: 0, keepEvery: 0 }, []],
  ["the last two", { keepLast: 2, keepBest: 0, keepEvery: 0 }, [40, 80, 120, 160]],
  ["the best one, and the newest anyway", { keepLast: 0, keepBest: 1, keepEvery: 0 }, [40, 80, 160, 200]],
  ["the first at or behind 100 and 200", { keepLast: 0, keepBest: 0, keepEvery: 100 }, [40, 80, 160]],
  ["all three together", { keepLast: 2, keepBest: 1, keepEvery: 100 }, [40, 80, 160]],
  ["more than there are", { keepLast: 9, keepBest: 9, keepEvery: 0 }, []],
] as const) {
  test(claim, () => assert.deepEqual(toRemove(run, [], retention), expected));
}

test("one that is not measured yet stays, one whose evaluation failed has no loss to be kept for", () => {
  const retention = { keepLast: 1, keepBest: 1, keepEvery: 0 };
  const pending = { microStep: 80, final: false, result: undefined };
  assert.deepEqual(toRemove([measured(40, 2), pending, measured(120), measured(160, 3)], [], retention), [120]);
});

test("the one at the end of training stays, though an attempt wrote another one behind it", () => {
  const end = { ...measured(160, 9), final: true };
  assert.deepEqual(toRemove([measured(120, 1), end, measured(200, 2)], [], { keepLast: 1, keepBest: 0, keepEvery: 0 }), [120]); // biome-ignore format: one line
});

test("which one is the first behind a multiple does not change when it is gone", () => {
  const retention = { keepLast: 1, keepBest: 0, keepEvery: 100 };
  assert.deepEqual(toRemove([measured(160, 1), measured(300, 1)], [120], retention), [160]);
});

const loss = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });
const result = fc.option(fc.record({ lossNatsPerToken: loss }), { nil: undefined });
const checkpoints = fc
  .uniqueArray(fc.record({ microStep: fc.nat(400), final: fc.constant(false), result }), {
    selector: ({ microStep }) => microStep,
    maxLength: 30,
  })
  .map((all) => all.toSorted((a, b) => a.microStep - b.microStep));
const retentions = fc.record({ keepLast: fc.nat(4), keepBest: fc.nat(4), keepEvery: fc.nat(120) });

test("whatever was measured: what is promised to stay stays, and everything else that is measured goes", () => {
  fc.assert(
    fc.property(checkpoints, retentions, (there, retention) => {
      const gone = new Set(toRemove(there, [], retention));
      const left = there.filter(({ microStep }) => !gone.has(microStep));
      const last = Math.max(1, retention.keepLast);
      assert.deepEqual(left.slice(-last), there.slice(-last));
      const losses = (all: readonly KnownCheckpoint[]) =>
        all.flatMap(({ result: of }) => of?.lossNatsPerToken ?? []).sort((a, b) => a - b);
      assert.deepEqual(losses(left).slice(0, retention.keepBest), losses(there).slice(0, retention.keepBest));
      assert.ok([...gone].every((step) => there.find(({ microStep }) => microStep === step)?.result !== undefined));
      if (retention.keepLast + retention.keepBest + retention.keepEvery === 0) return assert.equal(gone.size, 0);
      const multiples = retention.keepEvery === 0 ? 0 : Math.floor(400 / retention.keepEvery);
      const most = last + retention.keepBest + multiples;
      assert.ok(left.filter(({ result: of }) => of !== undefined).length <= most);
    }),
    { numRuns: 3_000 },
  );
});

test("removing one by one, as measurements come, leaves what removing at the end leaves", () => {
  fc.assert(
    fc.property(checkpoints, retentions, (all: readonly KnownCheckpoint[], retention: Retention) => {
      const whole = all.map((each) => ({ ...each, result: each.result ?? { lossNatsPerToken: undefined } }));
      let there: KnownCheckpoint[] = [];
      const removed: number[] = [];
      for (const next of whole) {
        there.push(next);
        const gone = toRemove(there, removed, retention);
        removed.push(...gone);
        there = there.filter(({ microStep }) => !gone.includes(microStep));
      }
      const gone = toRemove(whole, [], retention);
      assert.deepEqual(
        there,
        whole.filter(({ microStep }) => !gone.includes(microStep)),
      );
    }),
    { numRuns: 2_000 },
  );
});
