/** Curves in buckets: their numbers, their limits, that a zoom sees what is there, and that they follow the ledger. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import fc from "fast-check";
import { addClaims } from "../ledger/claims.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { type Ledger, openLedger } from "../ledger/open-ledger.ts";
import { readSteps } from "../ledger/read-steps.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { plainBuckets } from "../test-support/plain-curve.ts";
import { attempt, runEvents } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { stepEvents, stepMetric } from "../test-support/step-events.ts";
import { curves, type StepCurve } from "./curves.ts";
import { type CurveQuestion, Curves, curvesOf } from "./curves-of-experiments.ts";
import { type Bucket, cut } from "./thinning.ts";

const ledger = ledgerOf(runEvents());
const whole = { experiment: "1-4-0", from: 0, to: 0, maximumBuckets: 1000 };
const shape = runShape({ epochs: 1, stepsPerEpoch: 100_000, saveInterval: 100_000 });
const read = (question: CurveQuestion) => curvesOf(ledger).read(question);

/** A step with the loss that a test wants, computed by an attempt. */
function step(attemptNumber: number, microStep: number, loss: { nats: number; tokens: number } | number): LedgerEvent {
  const { nats, tokens } = typeof loss === "number" ? { nats: loss, tokens: 1 } : loss;
  const endMs = shape.startMs + attemptNumber * 1e7 + microStep * 800;
  const message = stepMetric(shape, { attempt: attemptNumber, microStep, endMs }, () => 0.5);
  return { kind: "step", message: { ...message, lossNats: nats, lossTokens: BigInt(tokens) } };
}

/** Equal; what was added up may differ by the order in which it was. */
function assertSame(found: readonly Bucket[], plain: readonly Bucket[]): void {
  const exact = ({ firstMicroStep, lastMicroStep, count, min, max, last, tokensSeen }: Bucket) => [
    firstMicroStep,
    lastMicroStep,
    count,
    min,
    max,
    last,
    tokensSeen,
  ];
  assert.deepEqual(found.map(exact), plain.map(exact));
  const added = ({ mean, smoothed = 0, elapsedSeconds }: Bucket) => [mean, smoothed, elapsedSeconds];
  for (const [index, value] of plain.flatMap(added).entries()) {
    assertClose(found.flatMap(added)[index] ?? Number.NaN, value, 1e-9 * Math.max(1, Math.abs(value)));
  }
}

test("a bucket's mean loss is nats over tokens: 100 of 10 and 30 of 20 make 4.33; its last value is the last step's", async () => {
  const losses = [
    { nats: 100, tokens: 10 },
    { nats: 30, tokens: 20 },
    { nats: 4, tokens: 2 },
    { nats: 9, tokens: 0 },
  ];
  const ledger = ledgerOf(losses.map((loss, index) => step(1, index + 1, loss)));
  const [buckets = []] = await curvesOf(ledger).read({ ...whole, metrics: ["train/loss"], maximumBuckets: 2 });
  assert.deepEqual(
    buckets.map(({ firstMicroStep, lastMicroStep, count, min, mean, max, last }) => [
      [firstMicroStep, lastMicroStep, count],
      [min, mean, max, last],
    ]),
    [
      [
        [1, 2, 2],
        [1.5, 130 / 30, 10, 1.5],
      ],
      [
        [3, 3, 1], // step 4 had no target
        [2, 2, 2, 2],
      ],
    ],
  );
});

test("a bucket says where in the run its last step lies: 3,800 tokens and 0.8 s a step, from the first step's begin", async () => {
  const [buckets = [], evaluations = []] = await read({
    ...whole,
    metrics: ["train/loss", "eval/loss"],
    maximumBuckets: 3,
  });
  for (const curve of [buckets, evaluations]) {
    const places = curve.map((bucket) => [bucket.lastMicroStep, bucket.tokensSeen, bucket.elapsedSeconds]);
    assert.deepEqual(
      places,
      [40, 80, 120].map((microStep) => [microStep, 3800 * microStep, 0.8 * microStep]),
    );
  }
});

test("a moving average is over every value from the beginning of the run, whatever is shown, and its first value is the first", async () => {
  const ledger = ledgerOf([8, 4, 2, 16].map((loss, index) => step(1, index + 1, loss)));
  const averages = async (from: number, maximumBuckets: number) => {
    const [buckets = []] = await curvesOf(ledger).read({
      ...whole,
      metrics: ["train/loss"],
      from,
      maximumBuckets,
      smoothing: 0.5,
    });
    return buckets.map(({ smoothed }) => smoothed);
  };
  const [one, two, three, four] = [8, 16 / 3, 24 / 7, 152 / 15]; // 8; (4 + 8 / 2) / 1.5; …
  assert.deepEqual(
    (await averages(0, 4)).map((value) => value?.toFixed(9)),
    [one, two, three, four].map((value) => value.toFixed(9)),
  );
  assert.equal((await averages(4, 4))[0]?.toFixed(9), four.toFixed(9));
  assert.equal((await averages(0, 2)).at(-1)?.toFixed(9), four.toFixed(9));
  const [plain = []] = await curvesOf(ledger).read({ ...whole, metrics: ["train/loss"] });
  assert.equal(plain[0]?.smoothed, undefined);
});

test("a step of infinite loss is the largest of its bucket, and pulls the moving average nowhere", async () => {
  const ledger = ledgerOf([2, Number.POSITIVE_INFINITY, 2].map((loss, index) => step(1, index + 1, loss)));
  const [[bucket] = []] = await curvesOf(ledger).read({
    ...whole,
    metrics: ["train/loss"],
    maximumBuckets: 1,
    smoothing: 0.9,
  });
  assert.deepEqual([bucket?.min, bucket?.max, bucket?.last], [2, Number.POSITIVE_INFINITY, 2]);
  assertClose(bucket?.smoothed ?? 0, 2, 1e-9);
});

test("a spike of one step among 20,000 is seen at every zoom", async () => {
  const losses = Array.from({ length: 20_000 }, (_, index) => step(1, index + 1, index + 1 === 7777 ? 9 : 2));
  const curves = curvesOf(ledgerOf(losses));
  for (
    let [from, to] = [1, 20_000];
    to - from > 20;
    from += Math.ceil((7777 - from) / 2), to -= Math.ceil((to - 7777) / 2)
  ) {
    const [buckets = []] = await curves.read({ ...whole, metrics: ["train/loss"], from, to, maximumBuckets: 50 });
    assert.equal(Math.max(...buckets.map(({ max }) => max)), 9, `${from} to ${to}`);
    assert.equal(buckets.filter(({ max }) => max === 9).length, 1);
  }
});

/** What happens to a ledger, between which curves are asked for. */
const happenings = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant("steps" as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        from: fc.integer({ min: 1, max: 260 }),
        count: fc.integer({ min: 1, max: 200 }),
        every: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant("attempt" as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        resumedFrom: fc.integer({ min: 0, max: 300 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant("stranger" as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        from: fc.integer({ min: 1, max: 200 }),
        count: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant("claim" as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        resumesFrom: fc.integer({ min: 0, max: 200 }),
        isStranger: fc.boolean(),
      }),
    },
  ),
  { minLength: 1, maxLength: 8 },
);
type Happening = (typeof happenings extends fc.Arbitrary<infer T> ? T : never)[number];

const strangerNonce = "0-never-granted";

/** @param time of the happening: a step that comes again comes with another content */
function happen(ledger: Ledger, happening: Happening, time: number): void {
  const writer = new EventWriter(ledger);
  const stepsOf = (attemptNumber: number, from: number, count: number, every: number) =>
    Array.from({ length: count }, (_, index) => from + index * every).flatMap((microStep) => {
      const endMs = shape.startMs + attemptNumber * 1e7 + time * 1e5 + microStep * 800;
      return stepEvents(shape, { attempt: attemptNumber, microStep, endMs }, () => Math.sin(microStep * (time + 1)));
    });
  if (happening.what === "steps") {
    writer.append(stepsOf(happening.attempt, happening.from, happening.count, happening.every));
  } else if (happening.what === "attempt") {
    writer.append([attempt(shape, happening.attempt, shape.startMs + time, happening.resumedFrom)]);
  } else if (happening.what === "stranger") {
    const events = stepsOf(happening.attempt, happening.from, happening.count, 1);
    writer.append(
      events.map((event) => ({ ...event, message: { ...event.message, attemptNonce: strangerNonce } }) as LedgerEvent),
    );
  } else {
    const nonce = happening.isStranger ? strangerNonce : nonceOf(happening.attempt);
    addClaims(ledger, [{ experiment: "1-4-0", attempt: happening.attempt, nonce, resumesFrom: happening.resumesFrom }]);
  }
}

const stepMetrics = Object.entries(curves).flatMap(([name, curve]) =>
  curve.of === "step" ? [[name, curve] as const] : [],
);

test("curves from memory equal one plain pass, whatever comes into the ledger between two questions, and in whatever order", async () => {
  const zoom = fc.record({
    from: fc.integer({ min: 0, max: 300 }),
    width: fc.integer({ min: 0, max: 400 }),
    maximumBuckets: fc.integer({ min: 1, max: 70 }),
  });
  await fc.assert(
    fc.asyncProperty(
      happenings,
      fc.array(zoom, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(0, 0.6, 0.99),
      async (all, zooms, smoothing) => {
        using ledger = openLedger(":memory:");
        const kept = new Curves(ledger, { rowsAtOnce: 50 });
        for (const [time, happening] of all.entries()) {
          happen(ledger, happening, time);
          const steps = [...readSteps(ledger, "1-4-0")];
          for (const { from, width, maximumBuckets } of zooms) {
            const to = width === 0 ? 0 : from + width;
            const metrics = stepMetrics.map(([name]) => name);
            const found = await kept.read({ experiment: "1-4-0", metrics, from, to, maximumBuckets, smoothing });
            const last = steps.at(-1)?.microStep ?? 0;
            const range = cut(Math.max(1, from), to === 0 ? last : Math.min(to, last), maximumBuckets);
            stepMetrics.forEach(([, curve]: readonly [string, StepCurve], index) => {
              assert.ok((found[index]?.length ?? 0) <= maximumBuckets);
              assertSame(found[index] ?? [], plainBuckets(steps, curve, range, smoothing));
            });
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("blocks of every width are used, and equal one plain pass too: 9,000 steps, one of them of no target, in any zoom", async () => {
  const ledger = ledgerOf(
    Array.from({ length: 9000 }, (_, index) =>
      step(1, index + 1, { nats: Math.sin(index) + 2, tokens: index === 4711 ? 0 : 3 }),
    ),
  );
  const steps = [...readSteps(ledger, "1-4-0")];
  const loss = stepMetrics.find(([name]) => name === "train/loss")?.[1];
  assert.ok(loss);
  const range = fc.tuple(
    fc.integer({ min: 1, max: 9000 }),
    fc.integer({ min: 1, max: 9000 }),
    fc.integer({ min: 1, max: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(range, async ([a, b, maximumBuckets]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const [found = []] = await curvesOf(ledger).read({
        experiment: "1-4-0",
        metrics: ["train/loss"],
        from,
        to,
        maximumBuckets,
        smoothing: 0.9,
      });
      assertSame(found, plainBuckets(steps, loss, cut(from, to, maximumBuckets), 0.9));
    }),
    { numRuns: 40 },
  );
});

test("questions of many callers at once, while steps come in, are each answered with a whole curve", async () => {
  const ledger = ledgerOf(Array.from({ length: 3000 }, (_, index) => step(1, index + 1, 2)));
  const kept = new Curves(ledger, { rowsAtOnce: 100 });
  const writer = new EventWriter(ledger);
  const answers = Array.from({ length: 8 }, async (_, index) => {
    if (index === 4) writer.append([attempt(shape, 2, shape.startMs, 1500), step(2, 1501, 3)]); // 1501 to 3000 are no more
    return (await kept.read({ ...whole, metrics: ["train/loss"] }))[0] ?? [];
  });
  for (const buckets of await Promise.all(answers)) {
    assert.deepEqual([buckets.reduce((sum, { count }) => sum + count, 0), buckets.at(-1)?.last], [1501, 3]);
  }
});

test("curves of experiments that nobody asks for give way; a run of too many steps is refused with the way to read it", async () => {
  const events = (id: string) =>
    Array.from({ length: 600 }, (_, index) => {
      const event = step(1, index + 1, 2);
      return { ...event, message: { ...event.message, experiment: `experiments/${id}` } } as LedgerEvent;
    });
  const ledger = ledgerOf(["a", "b", "c"].flatMap(events));
  const small = new Curves(ledger, { keptBytes: 1 });
  for (const experiment of ["a", "b", "a", "c", "b"]) {
    const [buckets] = await small.read({ ...whole, experiment, metrics: ["train/loss"] });
    assert.equal(buckets?.length, 600);
  }
  const narrow = new Curves(ledger, { rows: 500, rowsAtOnce: 100 });
  await assert.rejects(
    narrow.read({ ...whole, experiment: "a", metrics: ["train/loss"] }),
    (error) => error instanceof ResourceExhausted && /500 micro-steps.*ReadSteps/.test(error.message),
  );
});

test("curves that are asked for together are the same as one by one", async () => {
  const metrics = Object.keys(curves);
  const together = await read({ ...whole, metrics });
  assert.deepEqual(
    together,
    await Promise.all(metrics.map(async (metric) => (await read({ ...whole, metrics: [metric] }))[0])),
  );
  assert.deepEqual(
    metrics.filter((_, index) => together[index]?.length === 0),
    [],
  );
});

test("a norm exists where an optimizer step ends, a memory value where it was sampled, a loss where a checkpoint was evaluated", async () => {
  const [norms, memory, evaluations] = await read({
    ...whole,
    metrics: ["train/grad_norm", "memory/rss_bytes", "eval/loss"],
  });
  assert.deepEqual(
    norms?.slice(0, 3).map(({ lastMicroStep }) => lastMicroStep),
    [4, 8, 12],
  );
  assert.deepEqual(
    memory?.slice(0, 3).map(({ lastMicroStep }) => lastMicroStep),
    [10, 20, 30],
  );
  assert.deepEqual(
    evaluations?.map(({ lastMicroStep }) => lastMicroStep),
    [40, 80, 120],
  );
});

test("speed is tokens over time, not a mean of speeds; perplexity is exp of the mean loss, not a mean of perplexities", async () => {
  const [[speed] = [], [perplexity] = [], [loss] = []] = await read({
    ...whole,
    metrics: ["perf/tokens_per_second", "train/perplexity", "train/loss"],
    maximumBuckets: 1,
  });
  assertClose(speed?.mean ?? 0, 3800 / 0.8, 1e-9);
  assertClose(perplexity?.mean ?? 0, Math.exp(loss?.mean ?? 0), 1e-9);
});

test("an unknown name is refused by its place and the known ones are listed", async () => {
  for (const name of ["train/los", "toString", "__proto__", ""]) {
    await assert.rejects(
      read({ ...whole, metrics: ["train/loss", name] }),
      (error) =>
        error instanceof InvalidArgument &&
        error.violations[0]?.field === "metrics[1]" &&
        error.message.includes("train/grad_norm"),
    );
  }
});

test("a range without steps, and an experiment without steps, have empty curves", async () => {
  assert.deepEqual(await read({ ...whole, metrics: ["train/loss"], from: 500, to: 600 }), [[]]);
  assert.deepEqual(await read({ ...whole, experiment: "9-9-9", metrics: ["train/loss", "eval/loss"] }), [[], []]);
});

test("README.md lists every curve with its unit", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `([a-z0-9/_]+)` \| ([^|]+) \| (?:micro|optimizer|memory|evaluated)/gm)].map(
    ([, name, unit]) => [name, unit],
  );
  assert.deepEqual(
    listed,
    Object.entries(curves).map(([name, { unit }]) => [name, unit]),
  );
});
