import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import { checkpointNamed } from "./checkpoint-name.ts";
import { evaluationIds, evaluationName, idOfEvaluationName } from "./identity.ts";
import { refuseSettings, rowsAtOnce, scoringWindow } from "./settings.ts";

const settings = (fields: { samples?: number; batchRows?: number; context?: number; stride?: number } = {}) =>
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
  refuseSettings(settings(), 200);
  assert.throws(() => refuseSettings(settings(), 199), /settings.predict_length.* = 200 tokens.* have 199/);
});

test("a context up to the model's sequences and a stride up to the context are allowed; what is wrong is named, all at once", () => {
  for (const fields of [{ context: 200 }, { stride: 200 }, { context: 50, stride: 50 }, { context: 1, stride: 1 }]) {
    refuseSettings(settings(fields), 200);
  }
  assert.throws(() => refuseSettings(settings({ context: 201 }), 200), /settings.context.* 201 tokens.* have 200/);
  assert.throws(
    () => refuseSettings(settings({ stride: 201 }), 200),
    /settings.stride.* 201 new tokens in a window of 200/,
  );
  const both = () => refuseSettings(settings({ context: 50, stride: 51, samples: 1 }), 199);
  assert.throws(both, /settings.predict_length.*settings.stride/s);
});

test("without context and stride a token is predicted from as many as the model has, and read once", () => {
  assert.deepEqual(scoringWindow(settings(), 512), { context: 512, stride: 512 });
  assert.deepEqual(scoringWindow(settings({ context: 64 }), 512), { context: 64, stride: 64 });
  assert.deepEqual(scoringWindow(settings({ stride: 256 }), 512), { context: 512, stride: 256 });
});

test("context and stride make another evaluation; without them a name is what it was before there were any", () => {
  assert.equal(idsOf(checkpoint, settings({ samples: 11 }))[0], "1-4-0-10000-a29a3fb0");
  const others = [{ context: 64 }, { stride: 64 }, { context: 64, stride: 32 }].map(
    (each) => idsOf(checkpoint, settings(each))[0],
  );
  assert.equal(new Set([...others, "1-4-0-10000"]).size, 4);
});

test("rows scored at once are as many as asked for, unless their scores would need more than a gibibyte", () => {
  const recorded = { maxSequenceLength: 512, vocabularySize: 6400 };
  assert.equal(rowsAtOnce(settings(), recorded), 8);
  assert.equal(rowsAtOnce(settings({ batchRows: 4096 }), recorded), 81); // 81 x 512 x 6400 x 4 bytes = 1.06e9
  assert.equal(rowsAtOnce(settings(), { maxSequenceLength: 65_536, vocabularySize: 65_536 }), 1);
});
