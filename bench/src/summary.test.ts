import assert from "node:assert/strict";
import { test } from "node:test";
import { type Computed, disagreement } from "./agreement.ts";
import type { Entrant } from "./entrants.ts";
import type { Measured } from "./measure.ts";
import type { Precision, Ready } from "./protocol.ts";
import { summary } from "./summary.ts";
import { table } from "./table.ts";

function computed(name: string, loss: number, others: Partial<Computed> = {}): Computed {
  return { name, precision: "float32", ready: { loss, gradient_norm: 1 }, rounds: [{ loss }], ...others };
}

test("losses 1.1e-4 apart are different in float32 and the same in bfloat16", () => {
  const far = computed("b", 8 * (1 + 1.1e-4));
  assert.match(
    disagreement([computed("a", 8), far]) ?? "",
    /^first loss: a \(float32\) has 8, b \(float32\) has 8\.00/,
  );
  assert.equal(disagreement([computed("a", 8), { ...far, precision: "bfloat16" }]), undefined);
  assert.equal(disagreement([computed("a", 8), computed("b", 8 * (1 + 0.9e-4))]), undefined);
});

test("each pair is compared: two that each agree with a third one may differ", () => {
  const [a, b, c] = [computed("a", 8, { precision: "bfloat16" }), computed("b", 8), computed("c", 8.01)];
  assert.match(disagreement([a, b, c]) ?? "", /b \(float32\).*c \(float32\)/);
});

test("a later loss, the gradient norm, and a number that one of them lacks make a difference", () => {
  const reference = computed("a", 8);
  const later = computed("b", 8, { rounds: [{ loss: 7 }] });
  const norm = computed("b", 8, { ready: { loss: 8, gradient_norm: 1.1 } });
  const none = computed("b", 8, { ready: { loss: 8 } });
  const notFinite = computed("b", Number.NaN);
  assert.match(disagreement([reference, later]) ?? "", /^loss of round 1/);
  assert.match(disagreement([reference, norm]) ?? "", /^first gradient norm/);
  assert.match(disagreement([reference, none]) ?? "", /^first gradient norm/);
  assert.match(disagreement([reference, notFinite]) ?? "", /^first loss/);
});

test("in float32 a continuation must be the same tokens", () => {
  const text = (...generated: number[]) => computed("a", 8, { ready: { generated }, rounds: [] });
  assert.match(disagreement([text(1, 2), text(1, 3)]) ?? "", /different tokens/);
  assert.equal(disagreement([text(1, 2), { ...text(1, 3), precision: "bfloat16" }]), undefined);
  assert.equal(disagreement([text(1, 2), text(1, 2)]), undefined);
});

interface Told {
  readonly side: Entrant["side"];
  readonly name: string;
  /** Seconds of each round, of 100 tokens. */
  readonly seconds: readonly number[];
  readonly peak: number;
  readonly precision?: Precision;
  readonly loss?: number;
  readonly speed?: number;
}

function measured({ side, name, seconds, peak, precision = "float32", loss = 8, speed }: Told): Measured {
  const ready: Ready = { version: "1", seconds: 1, loaded_rss_mib: 50, loss };
  const speeds = speed === undefined ? {} : { giga_per_second: { product: speed } };
  return {
    entrant: { side, name, precision, program: "", variant: "" },
    ready,
    rounds: seconds.map((each) => ({ seconds: each, tokens: 100, loss, ...speeds })),
    peakRssMib: peak,
  };
}

const all = [
  measured({ side: "ours", name: "ours", seconds: [1, 2, 1], peak: 600 }), // best 100, median 100
  measured({ side: "ours", name: "ours, slow", seconds: [9, 9, 9], peak: 100 }),
  measured({ side: "peer", name: "quick", seconds: [1, 2, 2], peak: 2000 }), // best 100, median 50
  measured({ side: "peer", name: "frugal", seconds: [4, 4, 4], peak: 1000 }),
  measured({ side: "machine", name: "matmul", seconds: [1], peak: 1, speed: 125, loss: 1 }),
];
const run = (list: readonly Measured[]) => ({ measured: list, failed: [], units: 1, foreignLoad: 0 });

test("our fastest is compared with the fastest peer by medians, and in memory with the most frugal one", () => {
  const { ratio, memory_ratio, limit_share, results } = summary(run(all), () => 1);
  assert.deepEqual([ratio, memory_ratio, limit_share], [2, 0.6, 0.8]); // 100 / 50, 600 / 1000, 100 · 1 / 125
  assert.deepEqual(
    results.map(({ name }) => name),
    ["ours", "ours, slow", "quick", "frugal"],
  );
});

test("contenders that compute different losses get no ratio, but their numbers are shown", () => {
  const wrong = measured({ side: "peer", name: "wrong", seconds: [9], peak: 1, loss: 8.1 });
  const found = summary(run([...all, wrong]), () => 1);
  assert.deepEqual([found.ratio, found.memory_ratio, found.limit_share], [null, null, null]);
  assert.equal(found.by_precision.float32?.ratio, null);
  assert.match(found.refused ?? "", /^first loss.*8\.1/);
  assert.match(table(found), /\nno ratio: first loss/);
  assert.equal(found.results.length, 5);
});

test("a peer that did not run gives no ratio: it might have been the best one", () => {
  const entrant: Entrant = { side: "peer", name: "compiled", precision: "float32", program: "", variant: "" };
  const found = summary({ ...run(all), failed: [{ entrant, reason: "no g++" }] }, () => 1);
  assert.deepEqual([found.ratio, found.refused], [null, "compiled (float32) did not run"]);
});

test("of two precisions the best of ours is compared with the best of theirs, and each has its own comparison", () => {
  const half = [
    measured({ side: "ours", name: "ours", seconds: [0.5, 0.5, 0.5], peak: 500, precision: "bfloat16" }), // 200
    measured({ side: "peer", name: "quick", seconds: [0.8, 0.8, 0.8], peak: 900, precision: "bfloat16" }), // 125
  ];
  const { ratio, memory_ratio, limit_share, by_precision } = summary(run([...all, ...half]), () => 1);
  assert.deepEqual([ratio, memory_ratio, limit_share], [1.6, 0.5556, null]); // 500 / 900
  assert.deepEqual([by_precision.float32?.ratio, by_precision.bfloat16?.ratio], [2, 1.6]);
});

test("the summary is a JSON line with the names that a reader of it expects", () => {
  const line = JSON.stringify(summary(run(all), () => 1));
  assert.ok(!line.includes("\n"));
  const [first] = JSON.parse(line).results;
  assert.deepEqual(first, {
    name: "ours",
    side: "ours",
    precision: "float32",
    version: "1",
    tokens_per_second_best: 100,
    tokens_per_second_median: 100,
    peak_rss_mib: 600,
    loaded_rss_mib: 50,
  });
});

test("the table has a line for each contender, aligned, its speed relative to our fastest", () => {
  const lines = table(summary(run(all), () => 1)).split("\n");
  assert.match(lines[3] ?? "", /^quick +float32 +100\.0 +50\.0 +0\.50 +2000 +50$/);
  assert.equal(new Set(lines.slice(0, 5).map((line) => line.length)).size, 1);
  assert.match(lines.join("\n"), /limit, float32: 125\.0 G\/s \(matmul: product\); ours reaches 80\.0 % of it/);
});

test("other programs' load makes the numbers preliminary, in words", () => {
  const busy = summary({ ...run(all), foreignLoad: 0.3 }, () => 1);
  assert.match(table(busy), /other programs took 30 % of the processor time: preliminary/);
});
