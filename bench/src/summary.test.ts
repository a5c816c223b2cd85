import assert from "node:assert/strict";
import { test } from "node:test";
import type { Measured } from "./measure.ts";
import { summary } from "./summary.ts";

const gigaPerToken = () => 0.1;

test("the ratio is our median by the best peer's, memory by the most frugal peer's, the share needed work by the limit", () => {
  const found = summary(
    measurement(contender("ours", 60, 100), contender("peer", 30, 400), contender("peer", 40, 500)),
    gigaPerToken,
  );
  assert.equal(found.refused, null);
  assert.equal(found.ratio, 1.5);
  assert.equal(found.memory_ratio, 0.25);
  assert.equal(found.limit_share, 0.6); // 60 tokens/s · 0.1 G of 10 G/s
});

for (const [claim, losses] of [
  ["losses that are 0.02 % apart refuse a ratio in float32", [8, 8.0016]],
  ["a contender without a loss agrees with nobody that has one", [8, undefined]],
] as const) {
  test(claim, () => {
    const [ours, peer] = losses;
    const found = summary(measurement(contender("ours", 60, 1, ours), contender("peer", 30, 1, peer)), gigaPerToken);
    assert.match(found.refused ?? "", /first loss/);
    assert.deepEqual([found.ratio, found.memory_ratio, found.limit_share], [null, null, null]);
  });
}

test("a peer that did not run refuses a ratio: its absence must not make us look better", () => {
  const { entrant } = contender("peer", 1, 1);
  const found = summary(
    { ...measurement(contender("ours", 60, 1)), failed: [{ entrant, reason: "it ended with SIGKILL" }] },
    gigaPerToken,
  );
  assert.equal(found.refused, "peer (float32) did not run");
  assert.equal(found.ratio, null);
});

function measurement(...contenders: readonly Measured[]) {
  const machine = contender("machine", 1, 1);
  const rounds = [{ seconds: 1, tokens: 0, giga_per_second: { wo: 9, w1: 10 } }];
  return { measured: [...contenders, { ...machine, rounds }], failed: [], units: 1, foreignLoad: 0 };
}

function contender(side: "ours" | "peer" | "machine", speed: number, peakRssMib: number, loss?: number): Measured {
  const entrant = { name: side, side, precision: "float32", program: "", variant: "" } as const;
  const ready = { version: "1", seconds: 1, loaded_rss_mib: 1, ...(loss !== undefined && { loss }) };
  return { entrant, ready, rounds: [{ seconds: 1, tokens: speed }], peakRssMib };
}
