/** Which checkpoints count, whoever writes what and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lineage, type Resumption, type Written } from "./lineage.ts";

const claim = (attempt: number, resumesFrom: number): Resumption => ({ attempt, resumesFrom });
const written = (attempt: number, microStep: number): Written => ({ attempt, microStep });

for (const [what, claims, checkpoint, counts] of [
  ["the only attempt's", [claim(1, 0)], written(1, 60), true],
  ["what the successor goes on from", [claim(1, 0), claim(2, 40)], written(1, 40), true],
  ["what a sleeper wrote behind that", [claim(1, 0), claim(2, 40)], written(1, 60), false],
  ["the successor's at the same micro-step", [claim(1, 0), claim(2, 40)], written(2, 60), true],
  ["what a later attempt passed over", [claim(1, 0), claim(2, 40), claim(3, 20)], written(1, 40), false],
  ["the last attempt's, whatever its own claim says", [claim(1, 0), claim(2, 40)], written(2, 20), true],
  ["one whose own claim is not there", [claim(3, 40)], written(2, 40), true],
] as const) {
  test(`${what}: ${counts ? "counts" : "does not count"}`, () => {
    assert.equal(lineage(claims)(checkpoint), counts);
    assert.equal(lineage(claims.toReversed())(checkpoint), counts);
  });
}

test("it is the rule as it is said: at most what every later claim goes on from", () => {
  const number = fc.integer({ min: 1, max: 9 });
  const claims = fc.uniqueArray(fc.record({ attempt: number, resumesFrom: fc.nat(9) }), {
    selector: ({ attempt }) => attempt,
  });
  fc.assert(
    fc.property(claims, fc.record({ attempt: number, microStep: fc.nat(9) }), (all, checkpoint) => {
      const later = all.filter(({ attempt }) => attempt > checkpoint.attempt);
      const expected = later.every(({ resumesFrom }) => checkpoint.microStep <= resumesFrom);
      assert.equal(lineage(all)(checkpoint), expected);
    }),
    { numRuns: 2_000 },
  );
});

/**
 * A history: attempts that each go on from the newest checkpoint that counts (or, where that is damaged, from one before it)
 * and write one every ten micro-steps. None of them ever learns of the others.
 */
class History {
  readonly claims: Resumption[] = [];
  readonly checkpoints: Written[] = [];
  readonly #reached: number[] = [];

  get counting(): Written[] {
    return this.checkpoints.filter(lineage(this.claims));
  }

  /** @param damaged of the newest ones that cannot be read */
  begin(damaged: number): void {
    const steps = this.counting.map(({ microStep }) => microStep).sort((a, b) => b - a);
    const resumesFrom = steps[damaged] ?? 0;
    this.#reached.push(resumesFrom);
    this.claims.push(claim(this.#reached.length, resumesFrom));
  }

  /** That attempt's next checkpoint, if there has been such an attempt. */
  write(attempt: number): void {
    const reached = this.#reached[attempt - 1];
    if (reached === undefined) return;
    this.#reached[attempt - 1] = reached + 10;
    this.checkpoints.push(written(attempt, reached + 10));
  }
}

const deeds = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ begin: fc.constant(true), damaged: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 3, arbitrary: fc.record({ begin: fc.constant(false), attempt: fc.integer({ min: 1, max: 8 }) }) },
  ),
  { maxLength: 60 },
);

test("whatever attempts do, and however long they sleep, only the last one changes which checkpoints count", () => {
  fc.assert(
    fc.property(deeds, (all) => {
      const history = new History();
      for (const deed of all) {
        const before = history.counting;
        if ("damaged" in deed) {
          history.begin(deed.damaged);
          const { resumesFrom } = history.claims.at(-1) ?? claim(0, 0);
          assert.deepEqual(
            history.counting,
            before.filter(({ microStep }) => microStep <= resumesFrom),
            "a claim takes away exactly what lies behind its beginning",
          );
        } else {
          history.write(deed.attempt);
          if (deed.attempt < history.claims.length) assert.deepEqual(history.counting, before);
        }
        const steps = history.counting.map(({ microStep }) => microStep);
        assert.equal(new Set(steps).size, steps.length, "one micro-step, one checkpoint");
      }
    }),
    { numRuns: 5_000 },
  );
});
