import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import { checkpointNamed } from "./checkpoint-name.ts";
import { evaluationId, evaluationName, idOfEvaluationName } from "./identity.ts";
import { refuseLongSamples } from "./settings.ts";

const settings = (fields: { samples?: number; batchRows?: number } = {}) =>
  create(EvaluationSettingsSchema, { samples: 10, inputLength: 100, predictLength: 100, batchRows: 8, ...fields });
const checkpoint = { experiment: "1-4-0", microStep: 10_000 };

test("measured as the recipe says, an evaluation is named by experiment and micro-step alone", () => {
  assert.equal(evaluationId(checkpoint, settings(), settings()), "1-4-0-10000");
});

test("other settings give another evaluation, and the same ones the same", () => {
  const id = evaluationId(checkpoint, settings({ samples: 11 }), settings());
  assert.match(id, /^1-4-0-10000-[a-f][0-9a-f]{7}$/);
  assert.equal(evaluationId(checkpoint, settings({ samples: 11 }), settings()), id);
  assert.notEqual(evaluationId(checkpoint, settings({ batchRows: 9 }), settings()), id);
});

test("no settings make the name of one checkpoint's evaluation that of another's", () => {
  // Experiment 1-4-0-10000 at micro-step 12345678 would be read so, were the digits of the settings all decimal.
  for (let samples = 11; samples < 300; samples += 1) {
    assert.match(evaluationId(checkpoint, settings({ samples }), settings()), /-[a-f][0-9a-f]{7}$/);
  }
});

test("the longest id that can be is still a name that the contract accepts", () => {
  const longest = { experiment: "e".repeat(63), microStep: 999_999_999_999 };
  const name = evaluationName(evaluationId(longest, settings({ samples: 11 }), settings()));
  assert.match(name, /^evaluations\/[a-z0-9]([a-z0-9-]{0,94}[a-z0-9])?$/);
  assert.equal(evaluationName(idOfEvaluationName(name)), name);
});

for (const spelling of ["1.4.0", "1_4_0", "1-4-0", "experiment_1_4_0"]) {
  test(`experiments/${spelling}/checkpoints/10000 is the checkpoint of 1-4-0`, () => {
    assert.deepEqual(checkpointNamed(`experiments/${spelling}/checkpoints/10000`), checkpoint);
  });
}

for (const name of ["experiments/1-4-0", "experiments/a/b/checkpoints/1", "experiments/1-4-0/checkpoints/010", ""]) {
  test(`"${name}" is no checkpoint`, () => assert.throws(() => checkpointNamed(name), InvalidArgument));
}

test("a sample as long as the model's sequences is allowed, one token more is not", () => {
  refuseLongSamples(settings(), 200);
  assert.throws(() => refuseLongSamples(settings(), 199), /settings.predict_length.* = 200 tokens.* have 199/);
});
