/** Planted faults are told by their kind and place; noise, small batches and a sound run's habits are not. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  Experiment_Reason,
  Warning_Kind as Kind,
  type MemorySample,
  MemorySampleSchema,
  StateChangedSchema,
  type Warning,
  Warning_KindSchema,
} from "@pretrain/proto";
import { stepOf } from "../../test-support/plain-step.ts";
import { seededNoise } from "../../test-support/seeded-noise.ts";
import type { Step } from "../history.ts";
import { readSteps } from "../step-reader.ts";
import { WatchedSteps, warnings } from "./warnings.ts";

const tokens = 1000;
const seeds = [1, 7, 42, 1234];

interface Given {
  readonly steps?: number;
  readonly seed?: number;
  readonly loss?: (microStep: number, normal: () => number) => number;
  readonly fields?: (microStep: number) => Partial<Step>;
  readonly memory?: readonly MemorySample[];
}

function found({ steps = 4000, seed = 7, loss = sound, fields = () => ({}), memory = [] }: Given): Warning[] {
  const watched = new WatchedSteps();
  const normal = normalNoise(seed);
  readSteps(
    Array.from({ length: steps }, (_, index) => {
      const microStep = index + 1;
      const learningRate = 0.5 * (1 + Math.cos((Math.PI * microStep) / steps));
      const times = { dataMs: 1, totalMs: 100, learningRate };
      const sum = { lossNats: loss(microStep, normal) * tokens, lossTokens: tokens };
      return stepOf({ microStep, ...times, ...sum, gradientNorm: 1, clipScale: 1, ...fields(microStep) });
    }),
    [watched],
  );
  return warnings({ watched, transitions: [], memory, lastMicroStep: steps });
}

/** Falls as a power of the steps, from 9 to 3 or so, with a deviation of 0.05. */
function sound(microStep: number, normal: () => number): number {
  return 2 + 7 * microStep ** -0.25 + 0.05 * normal();
}

/** The sum of twelve even numbers: nearly normal, with a deviation of 1. */
function normalNoise(seed: number): () => number {
  const even = seededNoise(seed);
  return () => Array.from({ length: 12 }, even).reduce((sum, value) => sum + value, 0) / 2;
}

function kindsOf(given: Given): string[] {
  return found(given).map(
    ({ kind, firstMicroStep, lastMicroStep }) => `${nameOf(kind)} ${firstMicroStep}-${lastMicroStep}`,
  );
}

function nameOf(kind: Kind): string {
  return Warning_KindSchema.value[kind]?.localName ?? "";
}

test("docs/metrics.md has every warning with its rule", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../../docs/metrics.md"), "utf8");
  const kinds = Warning_KindSchema.values.filter(({ number }) => number !== 0).map(({ localName }) => localName);
  for (const kind of kinds) assert.match(page, new RegExp(`^\\| \`${kind}\` \\| .{40}`, "m"));
});

test("a sound run has no warning, whatever its seed, its length and the width of its noise", () => {
  for (const seed of seeds) {
    for (const steps of [20, 300, 4000, 20_000]) assert.deepEqual(kindsOf({ seed, steps }), [], `${seed}, ${steps}`);
    const wide = (microStep: number, normal: () => number) => 2 + 7 * microStep ** -0.25 + 0.4 * normal();
    assert.deepEqual(kindsOf({ seed, loss: wide }), [], `wide, ${seed}`);
  }
});

test("a file whose parts differ by half a nat, read in its order three times, does not diverge", () => {
  for (const seed of seeds) {
    const even = seededNoise(seed);
    const parts = Array.from({ length: 20 }, () => 0.25 * even());
    parts[19] = 0.25; // and ends with its hardest part
    const loss = (microStep: number, normal: () => number) =>
      sound(microStep, normal) + (parts[Math.floor(((microStep - 1) % 4000) / 200)] ?? 0);
    assert.deepEqual(kindsOf({ seed, steps: 12_000, loss }), []);
  }
});

test("an epoch's last batch of few targets is noisier, and no spike", () => {
  const isLast = (microStep: number) => microStep % 500 === 0;
  const loss = (microStep: number, normal: () => number) =>
    isLast(microStep) ? sound(microStep, normal) + 0.05 * 30 : sound(microStep, normal);
  const few = (microStep: number) =>
    isLast(microStep) ? { lossTokens: 20, lossNats: 20 * loss(microStep, () => 0) } : {};
  assert.deepEqual(kindsOf({ loss, fields: few }), []);
  const late = found({ loss }).filter(({ firstMicroStep }) => firstMicroStep >= 2000n);
  assert.equal(late.length, 5); // with as many targets as the others it is one
});

test("a loss that jumps up for three steps and comes back is a spike of that height at that place", () => {
  const loss = (microStep: number, normal: () => number) =>
    sound(microStep, normal) + ([3000, 3001, 3002].includes(microStep) ? 1 : 0);
  for (const seed of seeds) {
    const [spike, ...others] = found({ seed, loss });
    assert.deepEqual([spike?.kind, spike?.firstMicroStep, spike?.lastMicroStep], [Kind.SPIKE, 3000n, 3002n]);
    // The level of the 1,000 steps before still falls a little, so that its deviation is more than the noise's.
    assert.ok((spike?.value ?? 0) > 14 && (spike?.value ?? 0) < 23, String(spike?.value));
    assert.deepEqual([spike?.bound, others], [7, []]);
  }
});

test("of more spikes than are listed the highest are", () => {
  const loss = (microStep: number, normal: () => number) =>
    sound(microStep, normal) + (microStep % 100 === 50 && microStep > 1000 ? 0.5 + microStep / 1000 : 0);
  const spikes = found({ loss }).map(({ firstMicroStep }) => Number(firstMicroStep));
  assert.deepEqual(
    spikes,
    Array.from({ length: 20 }, (_, index) => 2050 + 100 * index),
  );
});

test("a loss that rises and stays up is a divergence by as much as it rose, and no spike", () => {
  const suddenly = (microStep: number, normal: () => number) => sound(microStep, normal) + (microStep > 3600 ? 2 : 0);
  const slowly = (microStep: number, normal: () => number) =>
    sound(microStep, normal) + Math.max(0, microStep - 2000) / 2000;
  for (const seed of seeds) {
    const [sudden, ...others] = found({ seed, loss: suddenly });
    assert.deepEqual([sudden?.kind, sudden?.lastMicroStep, others], [Kind.DIVERGENCE, 4000n, []]);
    assert.ok(Math.abs(Number(sudden?.firstMicroStep) - 3600) <= 32, String(sudden?.firstMicroStep));
    assert.ok(Math.abs((sudden?.value ?? 0) - 2) < 0.15, String(sudden?.value));
    const kinds = found({ seed, loss: slowly }).map(({ kind }) => nameOf(kind));
    assert.deepEqual(kinds, ["DIVERGENCE"]);
  }
});

test("a loss that stops falling while the learning rate is high is a plateau; one that the schedule ends is not", () => {
  const flatFrom = (begin: number) => (microStep: number, normal: () => number) =>
    2 + 7 * Math.min(microStep, begin) ** -0.25 + 0.05 * normal();
  const constant = () => ({ learningRate: 1e-3 });
  for (const seed of seeds) {
    const [flat, ...others] = found({ seed, steps: 8000, loss: flatFrom(3000), fields: constant });
    assert.deepEqual([flat?.kind, others], [Kind.PLATEAU, []]);
    assert.ok(Math.abs(Number(flat?.firstMicroStep) - 3200) <= 64 && flat?.lastMicroStep === 8000n);
    assert.ok(Math.abs(flat?.value ?? 1) < Math.abs(flat?.bound ?? 0));
    assert.deepEqual(kindsOf({ seed, steps: 8000, loss: flatFrom(7000) }), []); // the rate has come down by then
    assert.deepEqual(kindsOf({ seed, steps: 8000, fields: constant }), []); // it falls on
  }
});

test("where noise hides whether the loss falls, nothing is said", () => {
  const loss = (_: number, normal: () => number) => 3 + normal();
  assert.deepEqual(kindsOf({ steps: 2000, loss, fields: () => ({ learningRate: 1e-3 }) }), []);
});

test("a loss that is infinite is told with its steps; of a run that ended by one the step that no event holds", () => {
  const fields = (microStep: number) =>
    [70, 71, 90].includes(microStep) ? { lossNats: Number.POSITIVE_INFINITY } : {};
  assert.deepEqual(kindsOf({ steps: 100, fields }), ["NOT_FINITE 70-71", "NOT_FINITE 90-90"]);
  const watched = new WatchedSteps();
  const ended = create(StateChangedSchema, { reason: Experiment_Reason.NOT_FINITE });
  const [last] = warnings({ watched, transitions: [ended], memory: [], lastMicroStep: 41 });
  assert.deepEqual([last?.kind, last?.firstMicroStep], [Kind.NOT_FINITE, 42n]);
});

test("steps that wait for their batches are slow data; a beginning that waits for files to be opened is not", () => {
  const waits = (microStep: number) => (microStep > 1000 && microStep <= 2000 ? { dataMs: 40 } : {});
  const [slow, ...others] = found({ fields: waits });
  assert.deepEqual([slow?.kind, others], [Kind.SLOW_DATA, []]);
  assert.ok(Math.abs(Number(slow?.firstMicroStep) - 1000) <= 32 && Math.abs(Number(slow?.lastMicroStep) - 2000) <= 32);
  assert.ok(Math.abs((slow?.value ?? 0) - 0.4) < 0.02, String(slow?.value));
  const opening = (microStep: number) => (microStep <= 10 ? { dataMs: 5000, totalMs: 5100 } : {});
  assert.deepEqual(kindsOf({ steps: 320, fields: opening }), []);
  const resumed = (microStep: number) => ({
    attempt: microStep > 160 ? 2 : 1,
    ...(microStep === 161 ? { dataMs: 5e5 } : {}),
  });
  assert.deepEqual(kindsOf({ steps: 320, fields: resumed }), []);
});

test("nearly every optimizer step clipped is told, half of them not, and the first tenth is nobody's business", () => {
  const clipped = (isClipped: (microStep: number) => boolean) => (microStep: number) =>
    isClipped(microStep) ? { gradientNorm: 3, clipScale: 1 / 3 } : {};
  const [all] = found({ fields: clipped((microStep) => microStep % 50 !== 0) });
  assert.deepEqual([all?.kind, all?.value?.toFixed(2), all?.bound], [Kind.CLIPPING, "0.98", 0.95]);
  assert.deepEqual(kindsOf({ fields: clipped((microStep) => microStep % 2 === 0) }), []);
  assert.deepEqual(kindsOf({ fields: clipped((microStep) => microStep <= 400) }), []);
});

test("memory that grows through a run is told with its slope; a sawtooth and a pool that fills are not", () => {
  const noise = seededNoise(7);
  const samples = (rss: (microStep: number) => number, attempt = 1) =>
    Array.from({ length: 100 }, (_, index) => {
      const microStep = 10 * (index + 1);
      const rssBytes = BigInt(Math.round(rss(microStep)));
      return create(MemorySampleSchema, { attempt, microStep: BigInt(microStep), rssBytes });
    });
  const leaking = samples((microStep) => 1e9 + 400_000 * microStep + 2e7 * noise());
  const [growth, ...others] = found({ memory: leaking });
  assert.deepEqual([growth?.kind, growth?.firstMicroStep, growth?.lastMicroStep], [Kind.MEMORY_GROWTH, 510n, 1000n]);
  assert.ok(Math.abs((growth?.value ?? 0) - 400_000) < 40_000, String(growth?.value));
  assert.deepEqual(others, []);
  const sawtooth = samples((microStep) => 1e9 + 3e6 * (microStep % 100));
  const filling = samples((microStep) => 1e9 + 4e8 * (1 - Math.exp(-microStep / 100)));
  for (const memory of [sawtooth, filling]) assert.deepEqual(kindsOf({ memory }), []);
  // Two processes, the second of which is larger from its beginning: neither grows.
  const two = [...samples(() => 1e9), ...samples(() => 1.5e9, 2)];
  assert.deepEqual(kindsOf({ memory: two }), []);
});
