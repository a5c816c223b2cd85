/** Which token is chosen: the rules by hand, the draws by their golden numbers and by counting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { likeliest, NotFiniteScore, sampled } from "./index.ts";
import { uniform } from "./token-choice.ts";

const all = { temperature: 1, topK: 0, topP: 1, seed: 1 };
const scoresOf = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
const draws = (settings: Partial<typeof all>, scores: Float32Array, count: number) => {
  const choose = sampled({ ...all, ...settings });
  return Array.from({ length: count }, () => choose(scores));
};
const shares = (tokens: readonly number[]) =>
  [0, 1, 2, 3].map((token) => tokens.filter((each) => each === token).length / tokens.length);

test("the likeliest is the first of the largest, and temperature 0 and top 1 choose it", () => {
  const scores = Float32Array.of(1, 3, 3, -Infinity);
  assert.equal(likeliest(scores), 1);
  assert.deepEqual(draws({ temperature: 0 }, scores, 3), [1, 1, 1]);
  assert.deepEqual(draws({ topK: 1 }, scores, 3), [1, 1, 1]);
});

for (const [claim, settings, expected] of [
  ["at temperature 1 each comes as often as it is likely", {}, [0.1, 0.4, 0.3, 0.2]],
  ["at temperature 1/2 as often as the square of that says", { temperature: 0.5 }, [1 / 30, 16 / 30, 9 / 30, 4 / 30]],
  ["of the top two only they come", { topK: 2 }, [0, 4 / 7, 3 / 7, 0]],
  ["the fewest that reach 0.65 are the likeliest two", { topP: 0.65 }, [0, 4 / 7, 3 / 7, 0]],
  ["and of the top two the fewest that reach half are one", { topK: 2, topP: 0.5 }, [0, 1, 0, 0]],
] as const) {
  test(claim, () => {
    const found = shares(draws(settings, scoresOf(0.1, 0.4, 0.3, 0.2), 20_000));
    for (const [token, share] of expected.entries()) {
      const deviation = Math.sqrt((share * (1 - share)) / 20_000);
      assert.ok(
        Math.abs((found[token] ?? 0) - share) <= 4 * deviation,
        `token ${token}: ${found[token]}, not ${share}`,
      );
    }
  });
}

test("among equals the lower token is the likelier one", () => {
  assert.deepEqual(new Set(draws({ topK: 2 }, scoresOf(0.25, 0.25, 0.25, 0.25), 200)), new Set([0, 1]));
  assert.deepEqual(new Set(draws({ topP: 0.5 }, scoresOf(0.25, 0.25, 0.25, 0.25), 200)), new Set([0, 1]));
});

test("the same seed draws the same tokens, another one others", () => {
  const scores = scoresOf(0.1, 0.4, 0.3, 0.2);
  assert.deepEqual(draws({ seed: 7 }, scores, 50), draws({ seed: 7 }, scores, 50));
  assert.notDeepEqual(draws({ seed: 7 }, scores, 50), draws({ seed: 8 }, scores, 50));
});

test("the numbers of a seed are these, in every version", () => {
  const found = [0, 1, 2].map((index) => uniform(1, index)).concat(uniform(0, 0), uniform(2 ** 32 - 1, 5));
  assert.deepEqual(
    found,
    [0.44126551415891624, 0.3739998587849539, 0.6463610768711116, 0.6650139916301155, 0.37438990591117705],
  );
});

test("a score that is NaN is an error with its token; infinite ones are chosen or passed over", () => {
  const notFinite = (error: unknown) => error instanceof NotFiniteScore && error.token === 2;
  for (const choose of [likeliest, sampled(all)]) {
    assert.throws(() => choose(Float32Array.of(1, 2, Number.NaN)), notFinite);
  }
  assert.deepEqual(draws({}, Float32Array.of(0, Infinity, -Infinity), 3), [1, 1, 1]);
});

test("settings that make no sense are refused", () => {
  assert.throws(() => sampled({ ...all, temperature: -1 }), RangeError);
  assert.throws(() => sampled({ ...all, topP: 0 }), RangeError);
  assert.throws(() => sampled({ ...all, topK: 0.5 }), RangeError);
});
