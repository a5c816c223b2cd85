/** Past steps computed again from each checkpoint that they can be computed from: the bits are those of the run. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { initialWeights } from "@pretrain/model";
import { temporaryDirectory } from "@pretrain/testing";
import { optimizerStepAround, totals } from "../experiment/step-plan.ts";
import { attemptInProcess, batchesFrom, type Shuffle, tinySetup } from "../test-support/attempt-in-process.ts";
import { tinyTokenizer } from "../test-support/tiny-tokenizer.ts";
import { openRun } from "./open-run.ts";
import type { FromChild, TrainingSetup } from "./protocol.ts";
import { replay } from "./replay.ts";
import type { TrainingRun } from "./training-run.ts";

const tokenizer = await tinyTokenizer();

/** Everything that a replay up to `last` says of a run, `examined` looked at. */
async function replayed(run: TrainingRun, setup: TrainingSetup, shuffle: Shuffle, examined: number, last: number) {
  const { microStep, cursor } = run.counters;
  const batches = batchesFrom(microStep, cursor, shuffle, last);
  const said: FromChild[] = [];
  const asked = { examined, last, detailedRows: 1, tokenizer: { blob: "", sha256: "" } };
  const inbox = { next: async () => batches.next().value ?? undefined };
  await replay({ run, setup, asked, tokenizer, inbox, send: async (message) => void said.push(message) });
  const steps = said.flatMap((message) => (message.kind === "replayed" ? [message] : []));
  const rows = said.flatMap((message) => (message.kind === "examined" ? message.rows : []));
  return { steps, step: steps.find((each) => each.microStep === examined), rows };
}

function placeOf(t: TestContext, shuffle: Shuffle) {
  const folder = temporaryDirectory(t);
  return { shuffle, blobs: pathToFileURL(join(folder, "blobs")).href, programs: join(folder, "programs") };
}

for (const [accumulationSteps, lastAccumulation, shuffle, lossRule] of [
  [3, "carry", "per_epoch", "micro_mean"],
  [3, "step", "none", "token_weighted"],
] as const) {
  test(`each step of a run with accumulations of ${accumulationSteps}, ${lastAccumulation}, from each checkpoint before it`, async (t) => {
    const plan = { ...tinySetup.plan, accumulationSteps, lastAccumulation };
    const setup: TrainingSetup = { ...tinySetup, plan, lossRule, saveInterval: 3 };
    const place = placeOf(t, shuffle);
    const whole = await attemptInProcess({ ...place, setup });
    const blobs = openBlobs(place.blobs);
    for (let microStep = 1; microStep <= totals(plan).microSteps; microStep += 1) {
      const { begin, end } = optimizerStepAround(plan, microStep);
      const before = whole.sealed.filter(({ manifest }) => manifest.microStep <= begin);
      for (const resume of [undefined, ...before.slice(-2)]) {
        using run = await openedRun(blobs, { ...setup, resume }, place.programs);
        const { step, steps, rows } = await replayed(run.run, setup, shuffle, microStep, end ?? microStep);
        assert.equal(step?.lossNats, whole.losses.get(microStep), `${microStep} from ${resume?.manifest.microStep}`);
        assert.equal(steps.at(-1)?.update === undefined, end === undefined);
        const sum = rows.reduce((nats, { lossNats }) => nats + lossNats, 0);
        const nats = step?.lossNats ?? Number.NaN;
        assert.ok(Math.abs(sum - nats) <= 1e-6 * nats, `rows of ${microStep}: ${sum}, ${nats}`); // float32 sums 7 or 26 losses
      }
    }
  });
}

async function openedRun(blobs: ReturnType<typeof openBlobs>, setup: TrainingSetup, programs: string) {
  const run = await openRun(blobs, setup, programs);
  return { run, [Symbol.dispose]: () => run.program[Symbol.dispose]() };
}

test("a step that is no number is told with its rows, and no weight is changed by it", async (t) => {
  const { blobs, programs } = placeOf(t, "none");
  const run = await openRun(openBlobs(blobs), tinySetup, programs);
  const weights = new Map(initialWeights(tinySetup.shape, 1)).set("norm.weight", new Float32Array(8).fill(Number.NaN));
  run.program.begin(weights);
  const { step, rows } = await replayed(run, tinySetup, "none", 1, 1);
  assert.ok(Number.isNaN(step?.lossNats));
  assert.deepEqual([step?.lossTokens, step?.learningRate, step?.update, rows.length], [26, 1e-2, undefined, 4]);
  assert.deepEqual(run.program.get("weight"), weights);
});
