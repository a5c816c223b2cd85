/** The canaries with a model of 15,000 parameters: how far off each is, and what a certificate holds. The mutants show what they catch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { InferenceProgram } from "@pretrain/inference-program";
import { initialWeights } from "@pretrain/model";
import { loadedExperiment } from "../../test-support/loaded-experiment.ts";
import { tinyShape, tinyWeights, writeTinyCheckpoint } from "../../test-support/tiny-experiment.ts";
import { loadModel } from "../load-model.ts";
import { scoreRows } from "../score-rows.ts";
import { certificateOf, certified } from "./certified.ts";

const outcomesOf = ({ canaries }: Pick<Awaited<ReturnType<typeof certificateOf>>, "canaries">) =>
  new Map(canaries.map(({ name, outcome }) => [name, outcome]));

test("every canary holds, in every shape in which rows were scored; a shape is examined once", async (t) => {
  const { experiment, load } = await loadedExperiment(t);
  using model = await load();
  scoreRows(model, experiment.rows, 3);
  const scored = model.program.scoredShapes().map(({ rows, width }) => `${rows} x ${width}`);
  const certificate = await certificateOf(model);
  for (const { name, outcome, deviation, limit, unit, evidence } of certificate.canaries) {
    t.diagnostic(`${name}: ${deviation.toPrecision(2)} of ${limit} ${unit}: ${evidence}`);
    assert.equal(outcome, "PASSED", name);
    assert.ok(deviation <= limit / 2, `${name} leaves little room`);
  }
  assert.deepEqual(certificate.shapes, scored);
  assert.match(certificate.codeSha256, /^[0-9a-f]{64}$/);

  const again = await certificateOf(model, [{ rows: 2, width: 64 }]);
  assert.equal(again.seconds, certificate.seconds, "what is proven is not proven again");
  const wider = await certified(model, [{ rows: 1, width: 32 }]);
  assert.deepEqual(wider.shapes, [...new Set([...scored, "1 x 32"])]);
});

test("with weights that give no number nothing is shown: the claims about these weights do not hold", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const weights = tinyWeights(1);
  weights.get("norm.weight")?.fill(Number.NaN);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { attempt: 2, weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  const failed = [...outcomesOf(await certificateOf(model))].filter(([, outcome]) => outcome === "FAILED");
  assert.deepEqual(
    failed.map(([name]) => name),
    ["causality", "row_independence", "cached_decode", "training_loss"],
  );
  await assert.rejects(certified(model), (error) => {
    return (
      error instanceof FailedPrecondition && error.reason === "FAILED_CERTIFICATION" && /causality/.test(error.message)
    );
  });
});

test("weights to which all tokens are equal can show no causality, and say so", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const weights = new Map([...tinyWeights(1)].map(([name, { length }]) => [name, new Float32Array(length)]));
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { attempt: 2, weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  const outcomes = outcomesOf(await certified(model));
  assert.equal(outcomes.get("causality"), "NOT_APPLICABLE");
  assert.equal(outcomes.get("next_token_oracle"), "PASSED");
});

test("a model that is too small for an oracle is examined with its own weights and with none", async (t) => {
  const { tokenizer } = (await loadedExperiment(t)).experiment;
  const shape = { ...tinyShape, hiddenDim: 5 };
  using program = new InferenceProgram({ shape, weights: initialWeights(shape, 1) });
  const small = { program, shape, tokenizer, [Symbol.dispose]: () => undefined };
  const outcomes = outcomesOf(await certified(small));
  assert.equal(outcomes.get("next_token_oracle"), "NOT_APPLICABLE");
  assert.equal(outcomes.get("uniform_logits"), "PASSED");
});

test("a model whose sequences are hardly longer than a cycle could be has an oracle whose cycle fits", async (t) => {
  const { tokenizer } = (await loadedExperiment(t)).experiment;
  for (const maxSequenceLength of [24, 64]) {
    const shape = { ...tinyShape, dim: 64, hiddenDim: 64, layers: 1, maxSequenceLength };
    using program = new InferenceProgram({ shape, weights: initialWeights(shape, 1) });
    const short = { program, shape, tokenizer, [Symbol.dispose]: () => undefined };
    const { canaries } = await certificateOf(short);
    const failed = canaries.filter(({ outcome }) => outcome === "FAILED");
    assert.deepEqual(
      failed.map(({ name, evidence }) => `${name}: ${evidence}`),
      [],
    );
    assert.equal(outcomesOf({ canaries }).get("generation_length"), "PASSED");
  }
});
