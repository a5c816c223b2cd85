import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import { recipeSettings } from "./recipe-settings.ts";

test("settings are the fields that they name, as numbers, words and lists", () => {
  const { recipe, paths } = recipeSettings([
    "training.learning_rate=1e-4",
    "training.schedule=constant",
    "intent.purpose=a = b",
    'targets=[{"metric": "train/loss", "comparison": "<", "value": 3}]',
    "training.epochs=",
  ]);
  assert.deepEqual([recipe.training?.learningRate, recipe.training?.schedule], [1e-4, "constant"]);
  assert.equal(recipe.training?.epochs, undefined); // named and not set: its default again
  assert.equal(recipe.intent?.purpose, "a = b");
  assert.equal(recipe.targets[0]?.value, 3);
  assert.deepEqual(paths, [
    "training.learning_rate",
    "training.schedule",
    "intent.purpose",
    "targets",
    "training.epochs",
  ]);
});

test("what is no setting, and what is no value of its field, is refused by name", () => {
  for (const setting of ["training.learning_rate", "=3", "training.epochs=many", "training.speed=3"]) {
    assert.throws(() => recipeSettings([setting]), InvalidArgument, setting);
  }
});
