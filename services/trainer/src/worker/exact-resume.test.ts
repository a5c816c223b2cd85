/** Whatever the recipe chooses and wherever an attempt dies, the run ends with the bits of one that nothing happened to. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { SealedCheckpoint } from "@pretrain/checkpoint";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { totals } from "../experiment/step-plan.ts";
import { type AttemptOutcome, attemptInProcess, type Shuffle, tinySetup } from "../test-support/attempt-in-process.ts";
import type { TrainingSetup } from "./protocol.ts";

/** What a recipe chooses that touches the state of training. */
interface Choices {
  readonly accumulationSteps: number;
  readonly lastAccumulation: "carry" | "step";
  readonly shuffle: Shuffle;
  readonly lossRule: TrainingSetup["lossRule"];
  readonly optimizer: keyof typeof optimizers;
  readonly saveInterval: number;
  /** Micro-steps behind which the first attempts die. */
  readonly deaths: readonly number[];
}

const optimizers = {
  recorded: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" },
  upstream: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decayOn: "all" },
} as const satisfies Record<string, TrainingSetup["optimizer"]["adamW"]>;

const choices: fc.Arbitrary<Choices> = fc.record({
  accumulationSteps: fc.integer({ min: 1, max: 3 }),
  lastAccumulation: fc.constantFrom("carry", "step"),
  shuffle: fc.constantFrom("none", "per_epoch"),
  lossRule: fc.constantFrom("micro_mean", "token_weighted"),
  optimizer: fc.constantFrom("recorded", "upstream"),
  saveInterval: fc.integer({ min: 1, max: 5 }),
  deaths: fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 3 }),
});

/** Each pair of values of two choices is in one of these at least; the rest is left to chance. */
const always: readonly Choices[] = [
  choice(3, "carry", "per_epoch", "micro_mean", "recorded", [7]),
  choice(3, "step", "per_epoch", "token_weighted", "upstream", [7, 9]),
  choice(2, "carry", "none", "token_weighted", "upstream", [5, 6, 11]),
  choice(2, "step", "none", "micro_mean", "recorded", [10]),
];

function choice(
  accumulationSteps: number,
  lastAccumulation: Choices["lastAccumulation"],
  shuffle: Shuffle,
  lossRule: Choices["lossRule"],
  optimizer: Choices["optimizer"],
  deaths: readonly number[],
): Choices {
  return { accumulationSteps, lastAccumulation, shuffle, lossRule, optimizer, deaths, saveInterval: 2 };
}

test("losses, weights and moments of a run that dies at random micro-steps are those of one that does not, bit for bit", async (t) => {
  const programs = join(temporaryDirectory(t), "programs");
  await fc.assert(
    fc.asyncProperty(choices, async (chosen) => {
      const whole = await attemptInProcess({ ...placeOf(t, chosen), setup: setupOf(chosen), programs });
      const { losses, last } = await interruptedRun(t, chosen, programs);
      assert.deepEqual(losses, whole.losses);
      assert.deepEqual(digestsOf(last), digestsOf(whole.sealed.at(-1)));
    }),
    { numRuns: 8, examples: always.map((each): [Choices] => [each]) },
  );
});

async function interruptedRun(t: TestContext, chosen: Choices, programs: string) {
  const place = placeOf(t, chosen);
  const losses = new Map<number, number>();
  let last: SealedCheckpoint | undefined;
  for (const [index, diesBehind] of [...chosen.deaths, totals(setupOf(chosen).plan).microSteps].entries()) {
    const setup = { ...setupOf(chosen), attempt: index + 1, resume: last };
    if (diesBehind <= (last?.manifest.microStep ?? 0)) continue; // it got further before
    const isLast = index === chosen.deaths.length;
    const outcome: AttemptOutcome = await attemptInProcess({
      ...place,
      setup,
      programs,
      ...(isLast ? {} : { diesBehind }),
    });
    for (const [microStep, nats] of outcome.losses) losses.set(microStep, nats); // computed again: the later attempt counts
    last = outcome.sealed.at(-1) ?? last;
  }
  return { losses: new Map([...losses].sort(([a], [b]) => a - b)), last };
}

function placeOf(t: TestContext, { shuffle }: Choices) {
  return { shuffle, blobs: pathToFileURL(temporaryDirectory(t)).href };
}

function setupOf({ accumulationSteps, lastAccumulation, lossRule, optimizer, saveInterval }: Choices): TrainingSetup {
  const plan = { ...tinySetup.plan, accumulationSteps, lastAccumulation };
  const settings = { adamW: optimizers[optimizer], maxGradientNorm: 0.5 };
  return { ...tinySetup, plan, lossRule, optimizer: settings, saveInterval };
}

/** Of weights and moments, and what else the state says of itself but for the attempt. */
function digestsOf(sealed: SealedCheckpoint | undefined) {
  assert.ok(sealed !== undefined);
  const { parts, microStep, optimizerStep, epoch, tokensSeen } = sealed.manifest;
  return { parts: parts.slice(0, 2).map(({ sha256 }) => sha256), microStep, optimizerStep, epoch, tokensSeen };
}
