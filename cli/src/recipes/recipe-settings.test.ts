import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { RecipeSchema } from "@pretrain/proto";
import { recipeSettings, withSettings } from "./recipe-settings.ts";

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

test("over the recipe of a file they replace what they name, whole lists and groups too, and leave the rest", () => {
  const training = { learningRate: 2e-4, epochs: 3 };
  const recipe = create(RecipeSchema, { training, model: { dim: 64 }, targets: [{ metric: "train/loss", value: 3 }] });
  const set = ["training.learning_rate=1e-4", "training.epochs=", 'model={"n_layers": 2}', "targets=[]"];
  const changed = withSettings(recipe, set);
  assert.equal(changed.training?.learningRate, 1e-4);
  assert.equal(changed.training?.epochs, undefined);
  assert.deepEqual([changed.model?.nLayers, changed.model?.dim], [2, undefined]);
  assert.deepEqual(changed.targets, []);
  assert.equal(recipe.training?.learningRate, 2e-4);
});
