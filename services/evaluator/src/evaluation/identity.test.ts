import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import { checkpointNamed } from "./checkpoint-name.ts";
import { evaluationIds, evaluationName, idOfEvaluationName } from "./identity.ts";
import { refuseLongSamples, rowsAtOnce } from "./settings.ts";

const settings = (fields: { samples?: number; batchRows?: number } = {}) =>
  create(EvaluationSettingsSchema, { samples: 10, inputLength: 100, predictLength: 100, batchRows: 8, ...fields });
const checkpoint = { experiment: "1-4-0", microStep: 10_000 };

const idsOf = (given: typeof checkpoint, chosen = settings(), checkpointSha256 = "c0") =>
  evaluationIds({ checkpoint: given, checkpointSha256, settings: chosen, recipeSettings: settings() });

test("measured as the recipe says, an evaluation is named by experiment and micro-step alone", () => {
  assert.equal(idsOf(checkpoint)[0], "1-4-0-10000");
});

test("other settings give another evaluation, and the same ones the same", () => {
  const [id] = idsOf(checkpoint, settings({ samples: 11 }));
  assert.match(id, /^1-4-0-10000-[a-f][0-9a-f]{7}$/);
  assert.equal(idsOf(checkpoint, settings({ samples: 11 }))[0], id);
  assert.notEqual(idsOf(checkpoint, settings({ batchRows: 9 }))[0], id);
});

test("a checkpoint written anew has a second name of its own, for each of its contents and settings", () => {
  const second = [
    idsOf(checkpoint)[1],
    idsOf(checkpoint, settings(), "c1")[1],
    idsOf(checkpoint, settings({ samples: 11 }), "c1")[1],
  ];
  assert.equal(new Set([...second, idsOf(checkpoint)[0]]).size, 4);
  for (const id of second) assert.match(id, /^1-4-0-10000-[a-f][0-9a-f]{7}$/);
});

test("no settings make the name of one checkpoint's evaluation that of another's", () => {
  // Experiment 1-4-0-10000 at micro-step 12345678 would be read so, were the digits of the settings all decimal.
  for (let samples = 11; samples < 300; samples += 1) {
    for (const id of idsOf(checkpoint, settings({ samples }))) assert.match(id, /-[a-f][0-9a-f]{7}$/);
  }
});

test("the longest id that can be is still a name that the contract accepts", () => {
  const longest = { experiment: "e".repeat(63), microStep: 999_999_999_999 };
  for (const id of idsOf(longest, settings({ samples: 11 }))) {
    assert.match(evaluationName(id), /^evaluations\/[a-z0-9]([a-z0-9-]{0,94}[a-z0-9])?$/);
    assert.equal(idOfEvaluationName(evaluationName(id)), id);
  }
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

test("rows scored at once are as many as asked for, unless their scores would need more than a gibibyte", () => {
  const recorded = { maxSequenceLength: 512, vocabularySize: 6400 };
  assert.equal(rowsAtOnce(settings(), recorded), 8);
  assert.equal(rowsAtOnce(settings({ batchRows: 4096 }), recorded), 81); // 81 x 512 x 6400 x 4 bytes = 1.06e9
  assert.equal(rowsAtOnce(settings(), { maxSequenceLength: 65_536, vocabularySize: 65_536 }), 1);
});
