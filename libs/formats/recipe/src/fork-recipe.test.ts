/** What a fork may change of its parent's recipe, and how the difference is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, equals, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type Recipe, RecipeSchema, TrainingSchema } from "@pretrain/proto";
import { completeRecipe, forkedRecipe, recipeDifferences } from "./index.ts";

const recipeOf = (json: JsonObject): Recipe => fromJson(RecipeSchema, json);
const parent = completeRecipe(
  recipeOf({
    data: { path: "book.txt" },
    intent: { purpose: "to see" },
    training: { epochs: 2, learning_rate: 0.01 },
    targets: [{ metric: "train/loss", comparison: "<", value: 3 }],
  }),
);
const middle = { microStep: 40, nextEpoch: 2 };
const forkOf = (changes: JsonObject, paths?: string[], place = middle) =>
  forkedRecipe(parent, recipeOf(changes), paths, place);
const differencesOf = (changes: JsonObject, paths?: string[]) =>
  recipeDifferences(parent, forkOf(changes, paths)).map(({ field, parent, fork }) => [field, parent, fork]);

function faultsOf(changes: JsonObject, paths?: string[], place = middle): string[] {
  try {
    forkOf(changes, paths, place);
    return [];
  } catch (error) {
    assert.ok(error instanceof InvalidArgument);
    return error.violations.map(({ field, description }) => `${field}: ${description}`);
  }
}

test("a fork without changes has its parent's recipe", () => {
  assert.ok(equals(RecipeSchema, forkOf({}), parent));
  assert.ok(equals(RecipeSchema, forkedRecipe(parent, undefined, undefined, middle), parent));
  assert.deepEqual(differencesOf({}), []);
});

test("a fork has its own record of changes in the code, or none: its parent's are not its own", () => {
  const intent = { purpose: "a", changes: { kind: "its parent's" } };
  const changed = completeRecipe(recipeOf({ data: { path: "book.txt" }, intent }));
  const fork = (changes: JsonObject) => forkedRecipe(changed, recipeOf(changes), undefined, middle).intent;
  assert.deepEqual([fork({})?.purpose, fork({})?.changes], ["a", undefined]);
  assert.equal(fork({ intent: { changes: { kind: "its own" } } })?.changes?.kind, "its own");
});

test("without a mask every field that is set counts, and nothing else changes", () => {
  assert.deepEqual(differencesOf({ training: { learning_rate: 0.005, epochs: 3 }, intent: { purpose: "to look" } }), [
    ["intent.purpose", '"to see"', '"to look"'],
    ["training.epochs", "2", "3"],
    ["training.learning_rate", "0.01", "0.005"],
  ]);
  assert.equal(forkOf({ training: { seed: 42 } }).training.learningRate, 0.01); // the same seed is no change
});

test("with a mask the named fields alone count; one that is not set goes back to its default", () => {
  const changes = { training: { learning_rate: 0.005, epochs: 9 } };
  assert.deepEqual(differencesOf(changes, ["training.learning_rate"]), [["training.learning_rate", "0.01", "0.005"]]);
  assert.deepEqual(differencesOf({}, ["training.learning_rate", "targets", "intent"]), [
    ["intent.purpose", '"to see"', ""],
    ["training.learning_rate", "0.01", "0.0002"],
    ["targets", '[{"metric":"train/loss","comparison":"<","value":3}]', ""],
  ]);
});

test("a whole group in the mask replaces the group, and what it leaves out gets its default", () => {
  const fork = forkOf({ monitoring: { profile: false } }, ["monitoring"]);
  assert.deepEqual([fork.monitoring.profile, fork.monitoring.profileInterval], [false, 10]);
});

test("the precision of the hardware follows a new dtype, unless it is named too", () => {
  assert.equal(forkOf({ training: { dtype: "float32" } }).hardware.mixedPrecision, "no");
  assert.deepEqual(faultsOf({ training: { dtype: "float32" }, hardware: { mixed_precision: "bf16" } }), [
    "recipe.hardware.mixed_precision: bf16 contradicts training.dtype float32, which is no",
  ]);
});

test("what the checkpoint would mean something else with is refused, every field by its name", () => {
  const changes = { model: { dim: 256 }, data: { path: "other.txt", shuffle: "per_epoch" }, training: { seed: 7 } };
  assert.deepEqual(faultsOf(changes), [
    "recipe.model.dim: must stay 512: the checkpoint's weights have this shape; start a new experiment for another one",
    'recipe.data.path: must stay "book.txt": the checkpoint\'s place in the data is counted in these rows; start a new experiment for another one',
    'recipe.data.shuffle: must stay "none": the checkpoint\'s place in the data is counted in these rows; start a new experiment for another one',
    "recipe.training.seed: must stay 42: the order of the rows that are left follows from it; start a new experiment for another one",
  ]);
});

test("of the training, all but size, count and order of the steps may change; a new field must be put on one side", () => {
  const other: Record<string, JsonObject> = {
    batch_size: { batch_size: 64 },
    accumulation_steps: { accumulation_steps: 4 },
    last_accumulation: { last_accumulation: "step" },
    seed: { seed: 7 },
    epochs: { epochs: 5 },
    learning_rate: { learning_rate: 1e-3 },
    warmup_iters: { warmup_iters: 3 },
    schedule: { schedule: "constant" },
    grad_clip: { grad_clip: 2 },
    dtype: { dtype: "float32" },
    beta1: { beta1: 0.8 },
    beta2: { beta2: 0.9 },
    adam_eps: { adam_eps: 1e-7 },
    weight_decay: { weight_decay: 0 },
    decay_on: { decay_on: "all" },
    loss_rule: { loss_rule: "token_weighted" },
    save_interval: { save_interval: 8 },
    embedding_epoch: { embedding_epoch: 1 },
    keep_last: { keep_last: 1 },
    keep_best: { keep_best: 1 },
    keep_every: { keep_every: 100 },
    early_stopping_patience: { early_stopping_patience: 3 },
    early_stopping_min_delta: { early_stopping_min_delta: 0.01 },
  };
  for (const { name } of TrainingSchema.fields) {
    const change = other[name];
    assert.ok(change !== undefined, `may a fork change training.${name}? Say so in fork-recipe.ts and here`);
    const isFixed = ["batch_size", "accumulation_steps", "last_accumulation", "seed"].includes(name);
    assert.equal(faultsOf({ training: change }).length, isFixed ? 1 : 0, name);
  }
});

test("the epochs may end later or earlier, but not before the checkpoint", () => {
  assert.deepEqual(faultsOf({ training: { epochs: 1 } }), [
    "recipe.training.epochs: 1 epochs are over at micro-step 40, where the checkpoint stands; at least 2 are expected",
  ]);
  assert.equal(faultsOf({}, [], { microStep: 80, nextEpoch: 3 }).length, 1); // the last checkpoint of all, and nothing to do
  assert.deepEqual(faultsOf({ training: { epochs: 3 } }, undefined, { microStep: 80, nextEpoch: 3 }), []);
});

test("unknown paths and faulty values are named", () => {
  assert.deepEqual(faultsOf({}, ["training.learning_rat", "models"]), [
    'update_mask: "training.learning_rat" is unknown; the nearest known name is "training.learning_rate"',
    'update_mask: "models" is unknown; the nearest known name is "model"',
  ]);
  assert.deepEqual(faultsOf({ training: { learning_rate: -1 } }), [
    "recipe.training.learning_rate: must be greater than 0 and less than or equal to 10; -1 was found",
  ]);
});

test("a long value is told by its beginning", () => {
  const [difference] = recipeDifferences(parent, forkOf({ intent: { purpose: "x".repeat(5000) } }));
  assert.equal(difference?.fork, `"${"x".repeat(1999)}…`);
  assert.ok(equals(RecipeSchema, create(RecipeSchema, parent), parent), "the parent is as it was");
});
