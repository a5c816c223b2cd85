/** What the loop says while it has nothing to compute. What it computes: exact-resume.test.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { temporaryDirectory } from "@pretrain/testing";
import { totals } from "../experiment/step-plan.ts";
import { tinySetup } from "../test-support/attempt-in-process.ts";
import { Inbox } from "./inbox.ts";
import { trainingProgram } from "./open-run.ts";
import { train } from "./train.ts";
import { noSteps, TrainingRun } from "./training-run.ts";

const never = new Promise<never>(() => undefined);

/** A run that has computed all its steps, with a checkpoint on its way that is durable when the test says so. */
function endingRun(t: TestContext) {
  const written = Promise.withResolvers<void>();
  const program = trainingProgram(tinySetup, join(temporaryDirectory(t), "programs"));
  const run = new TrainingRun(tinySetup, program, { ...noSteps, microStep: totals(tinySetup.plan).microSteps });
  const said: string[] = [];
  const checkpoints = {
    failed: never,
    settled: () => written.promise,
    save: () => assert.fail("nothing is to be saved"),
  };
  const send = ({ kind }: { readonly kind: string }) => Promise.resolve(void said.push(kind));
  const ended = train({ run, setup: tinySetup, checkpoints, inbox: new Inbox(), send });
  return { said, written, ended };
}

test("an end that waits for a checkpoint says so every two seconds, or its parent would take it for a hang", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { said, written, ended } = endingRun(t);
  await turn();
  t.mock.timers.tick(1_999);
  assert.deepEqual(said, ["ready"]);
  t.mock.timers.tick(4_001);
  assert.deepEqual(said, ["ready", "writing", "writing", "writing"]);
  written.resolve();
  await ended;
  t.mock.timers.tick(10_000);
  assert.equal(said.length, 4);
});

test("the loop ends no sooner than the last checkpoint is durable", async (t) => {
  const { written, ended } = endingRun(t);
  const first = await Promise.race([ended.then(() => "ended"), turn().then(() => "waits")]);
  assert.equal(first, "waits");
  written.resolve();
  await ended;
});
