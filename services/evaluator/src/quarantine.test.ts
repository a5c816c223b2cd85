/** The evaluator as it runs, with a mistake in it: labels are not shifted, so that every prediction is held against the token just read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PretrainError } from "@pretrain/errors";
import { events } from "@pretrain/events";
import { Canary_Outcome, Evaluation_State as State } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { plantedModule } from "./test-support/planted.ts";
import { startSystem } from "./test-support/running-system.ts";
import { checkpointWritten, tinyExperiment, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

const planted = { NODE_OPTIONS: `--import=${plantedModule("labels are not shifted")}` };
const refused = (error: unknown) => error instanceof PretrainError && error.reason === "FAILED_CERTIFICATION";

test("a mistake in the code gives no number, anywhere, but its evidence", async (t) => {
  const { experiment, broker, evaluator, ended } = await startSystem(t, tinyExperiment, planted);
  const { client, httpAddress } = evaluator;
  const checkpoint = "experiments/tiny/checkpoints/8";
  await broker.publish(events.checkpoint, checkpointWritten(await writeTinyCheckpoint(experiment)));
  const evaluation = await ended("evaluations/tiny-8");

  await t.test("the evaluation is FAILED_CERTIFICATION: the canary, what it found, and no loss", () => {
    assert.equal(evaluation.state, State.FAILED_CERTIFICATION);
    assert.match(evaluation.error, /next_token_oracle is off by \d+/);
    const canary = evaluation.certificate?.canaries.find(({ name }) => name === "next_token_oracle");
    assert.equal(canary?.outcome, Canary_Outcome.FAILED);
    assert.ok((canary?.deviation ?? 0) > 100 * (canary?.limit ?? 0), canary?.evidence);
    const { validationLoss, inferenceLoss, perplexity, samples, lossesBlob } = evaluation;
    assert.deepEqual(
      [validationLoss, inferenceLoss, perplexity, samples, lossesBlob],
      [undefined, undefined, undefined, [], ""],
    );
  });

  await t.test(
    "what is asked for at once is refused with the same reason: no text is scored, none is written",
    async () => {
      await assert.rejects(client.scoreText({ checkpoint, text: "Call me" }), refused);
      await assert.rejects(
        Array.fromAsync(client.generate({ checkpoint, prompt: "Call me", maxNewTokens: 3 })),
        refused,
      );
    },
  );

  await t.test("a self-test answers with the failed canaries, and they are counted", async () => {
    const { canaries } = await client.selfTest({});
    const failed = canaries.filter(({ outcome }) => outcome === Canary_Outcome.FAILED).map(({ name }) => name);
    assert.ok(failed.includes("next_token_oracle") && !failed.includes("causality"), failed.join(", "));
    const counted = /pretrain_eval_canary_failures_total\{[^}]*canary="next_token_oracle"[^}]*\} [1-9]/;
    await until(async () => counted.test(await (await fetch(`http://${httpAddress}/metrics`)).text()), {
      timeoutMs: 60_000,
    });
  });
});
