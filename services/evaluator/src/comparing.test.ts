/** CompareEvaluations over gRPC: two checkpoints as they are measured, against the long way to their difference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PretrainError } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import { Evaluation_State as State } from "@pretrain/proto";
import { costOf, plainModel } from "./test-support/plain-reference.ts";
import { startSystem } from "./test-support/running-system.ts";
import { tinyWeights, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

test("two checkpoints of an experiment, measured and compared", async (t) => {
  const { experiment, evaluator, ended } = await startSystem(t);
  const { client } = evaluator;
  const checkpoints = [8, 16].map((microStep) => `experiments/tiny/checkpoints/${microStep}`);
  const [before = "", after = ""] = checkpoints;
  for (const [index, microStep] of [8, 16].entries()) {
    await writeTinyCheckpoint(experiment, { microStep, weights: tinyWeights(index + 1) });
  }
  for (const checkpoint of checkpoints) {
    const { state, error } = await ended((await client.evaluateCheckpoint({ checkpoint })).name);
    assert.equal(state, State.SUCCEEDED, error);
  }

  await t.test("each row's losses are those of the long way, and the difference is that of all of them", async () => {
    const found = await client.compareEvaluations({ baseline: before, candidate: "experiments/tiny", listedRows: 100 });
    assert.deepEqual([found.baseline, found.candidate], ["evaluations/tiny-8", "evaluations/tiny-16"]);
    const plain = [plainModel(tinyWeights(1)), plainModel(tinyWeights(2))] as const;
    const costs = experiment.rows.map(({ tokens }) => {
      const ids = [...tokens];
      const of = (model: (typeof plain)[number]) =>
        ids.slice(1).reduce((sum, _, index) => sum + costOf(model, ids, index + 1), 0);
      return { baseline: of(plain[0]), candidate: of(plain[1]), targets: ids.length - 1 };
    });
    assert.equal(found.rows.length, costs.length);
    for (const { rowId, baseline, candidate } of found.rows) {
      const expected = costs[Number(rowId)] ?? assert.fail();
      assertClose([baseline?.nats ?? NaN, candidate?.nats ?? NaN], [expected.baseline, expected.candidate], 1e-3);
    }
    const sum = (number: "baseline" | "candidate" | "targets") =>
      costs.reduce((total, each) => total + each[number], 0);
    assertClose(found.difference, (sum("candidate") - sum("baseline")) / sum("targets"), 1e-5);
    assert.equal(Number(found.candidateWins), costs.filter(({ baseline, candidate }) => candidate < baseline).length);
  });

  await t.test("the losses are those that the evaluations show", async () => {
    const { baselineLoss } = await client.compareEvaluations({ baseline: before, candidate: after });
    const { validationLoss } = await client.getEvaluation({ name: "evaluations/tiny-8" });
    assert.equal(baselineLoss?.tokens, validationLoss?.tokens);
    assertClose(baselineLoss?.nats ?? NaN, validationLoss?.nats ?? 0, { relative: 1e-12 });
  });

  await t.test("one that was measured in a shorter context is not comparable, and the answer says so", async () => {
    const settings = { samples: 3, inputLength: 12, predictLength: 8, batchRows: 3, context: 16, stride: 8 };
    const { name } = await client.evaluateCheckpoint({ checkpoint: after, settings });
    assert.equal((await ended(name)).state, State.SUCCEEDED);
    await assert.rejects(client.compareEvaluations({ baseline: before, candidate: name }), (error) => {
      assert.ok(error instanceof PretrainError && error.status === "FAILED_PRECONDITION", String(error));
      return (
        error.reason === "NOT_COMPARABLE" && /differ in context: \d+ and 16; stride: \d+ and 8$/.test(error.message)
      );
    });
  });
});
