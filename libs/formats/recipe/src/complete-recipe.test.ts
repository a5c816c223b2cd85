import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clone, create, equals, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type Recipe, RecipeSchema } from "@pretrain/proto";
import fc from "fast-check";
import { completeRecipe, parameterCount } from "./index.ts";

const smallest = { data: { path: "texts/book.jsonl" } };

function recipeOf(json: JsonObject): Recipe {
  return fromJson(RecipeSchema, { ...smallest, ...json });
}

/** `field: description` of every fault of the recipe. */
function faultsOf(recipe: Recipe | undefined): string[] {
  try {
    completeRecipe(recipe);
    return [];
  } catch (error) {
    assert.ok(error instanceof InvalidArgument);
    return error.violations.map(({ field, description }) => `${field}: ${description}`);
  }
}

test("every default is the one that recipe.proto writes beside the field", () => {
  const proto = readFileSync(new URL("../../../../proto/pretrain/train/v1/recipe.proto", import.meta.url), "utf8");
  const complete = toJson(RecipeSchema, completeRecipe(recipeOf({})), { useProtoFieldName: true });
  const fields = new Map(Object.values(Object(complete)).flatMap((group) => Object.entries(Object(group))));
  const documented = [
    ...proto.matchAll(/Default:? `?"?([^\s`";:]+)[^\n]*(?:\n *\/\/[^\n]*)*\n *optional \w+ (\w+) =/g),
  ];
  const derived: Record<string, string> = { hidden_dim: "1408", format: "jsonl", mixed_precision: "bf16" };
  for (const [, written = "", name = ""] of documented) {
    const text = derived[name] ?? written.replace(/[.,]$/, "").replace(/^empty$/, "");
    const found = fields.get(name);
    assert.equal(found, typeof found === "string" ? text : JSON.parse(text), name);
  }
  assert.equal(documented.length, 62); // all optional fields of the six groups but model_size, whose 0 means "not said"
});

test("the defaults make the model of 25,829,888 parameters", () => {
  assert.equal(parameterCount(completeRecipe(recipeOf({})).model), 25_829_888);
  // The record does not say how many key and value heads there were; 2 and 32 give other counts (checklist, B8).
  for (const n_kv_heads of [2, 32]) {
    assert.notEqual(parameterCount(completeRecipe(recipeOf({ model: { n_kv_heads } })).model), 25_829_888);
  }
});

test("the feed-forward width follows the model's width: 64 * ceil(floor(8 dim / 3) / 64)", () => {
  for (const [dim, hiddenDim] of [
    [512, 1408], // 1365 / 64 = 21.3, so 22 * 64
    [64, 192], // 170 / 64 = 2.7
    [768, 2048], // exactly 2048
  ]) {
    assert.equal(completeRecipe(recipeOf({ model: { dim: dim ?? 0 } })).model.hiddenDim, hiddenDim);
  }
});

test("a file of validation text switches off setting rows aside, and other endings ask for a format", () => {
  const data = (json: JsonObject) => completeRecipe(recipeOf({ data: json })).data;
  assert.equal(data({ path: "a.txt", validation_path: "b.txt" }).validationEvery, 0);
  assert.equal(data({ path: "a.txt" }).validationEvery, 20);
  assert.equal(data({ path: "a.TXT" }).format, "text");
  assert.equal(data({ path: "a.csv", format: "text" }).format, "text");
  assert.deepEqual(faultsOf(recipeOf({ data: { path: "a.csv" } })), [
    'recipe.data.format: cannot be told from the ending of "a.csv"; give jsonl or text',
  ]);
});

test("a record of changes that does not say where it comes from was given by a person", () => {
  const sourceOf = (changes: JsonObject) => completeRecipe(recipeOf({ intent: { changes } })).intent.changes?.source;
  assert.equal(sourceOf({}), "given");
  assert.equal(sourceOf({ source: "version_control" }), "version_control");
  assert.deepEqual(faultsOf(recipeOf({ intent: { changes: { source: "hearsay" } } })).length, 1);
});

test("completing a complete recipe changes nothing, and never the recipe that was given", () => {
  const given = recipeOf({
    training: { dtype: "float32", seed: 0 },
    targets: [{ metric: "train/loss", comparison: "<" }],
  });
  const before = clone(RecipeSchema, given);
  const complete = completeRecipe(given);
  assert.ok(equals(RecipeSchema, given, before));
  assert.equal(complete.training.seed, 0); // said, so not the default 42
  assert.equal(complete.hardware.mixedPrecision, "no");
  assert.ok(equals(RecipeSchema, completeRecipe(complete), complete));
});

test("all faults are named at once, by their paths in the request", () => {
  const recipe = recipeOf({
    intent: { based_on: "my notes" },
    model: {
      model_type: "model",
      use_moe: true,
      disable_db: false,
      dim: 500,
      n_heads: 7,
      n_kv_heads: 3,
      vocab_size: 65537,
    },
    training: { learning_rate: -1, dtype: "float32", accumulation_steps: 3, save_interval: 10000 },
    hardware: { mixed_precision: "bf16", num_processes: 2 },
    monitoring: { log_interval: 2 },
    evaluation: { input_length: 500, context: 513, stride: 514 },
    predictions: [{ metric: "eval/loss", low: 3, high: 2 }, { metric: "eval/loss" }],
    targets: [{ metric: "train/los", comparison: "<", value: 3, excellent: 4 }],
    hypotheses: [{ statement: "s", confirmed_when: [{ metric: "perf/step_second", comparison: "=", value: 1 }] }],
  });
  assert.deepEqual(faultsOf(recipe), [
    "recipe.model.vocab_size: must be greater than or equal to 259 and less than or equal to 65536; 65537 was found",
    "recipe.training.learning_rate: must be greater than 0 and less than or equal to 10; -1 was found",
    'recipe.hypotheses[0].confirmed_when[0].comparison: must be in list [<, <=, >, >=]; "=" was found',
    "recipe.model.model_type: model has memory layers, which are not trained yet; use model_original",
    "recipe.model.use_moe: true asks for a mixture of experts, which is not trained yet; false is expected",
    "recipe.model.disable_db: false asks for the knowledge base, which is not trained yet; true is expected",
    "recipe.model.dim: 500 is not divisible by n_heads 7",
    "recipe.model.n_heads: 7 is not divisible by n_kv_heads 3",
    "recipe.training.save_interval: 10000 is not a multiple of accumulation_steps 3; the nearest are 9999 and 10002",
    "recipe.hardware.num_processes: 2 processes are not supported; 1 is expected",
    "recipe.hardware.mixed_precision: bf16 contradicts training.dtype float32, which is no",
    "recipe.monitoring.log_interval: 2 would leave steps out of the ledger; 1 is expected",
    "recipe.evaluation.predict_length: input_length 500 + predict_length 100 is more than model.max_seq_len 512",
    "recipe.evaluation.context: 513 is more than model.max_seq_len 512",
    "recipe.evaluation.stride: 514 is more than the context, 513: tokens between two windows would not be scored",
    'recipe.intent.based_on: "my notes" is no name of an experiment; experiments/{id} is expected, or nothing',
    "recipe.predictions[0].low: 3 is more than high 2",
    "recipe.predictions[1]: needs low, high or both",
    'recipe.targets[0].metric: "train/los" is unknown; the nearest known name is "train/loss"',
    "recipe.targets[0].excellent: 4 is easier to reach than value 3 by <",
    'recipe.hypotheses[0].confirmed_when[0].metric: "perf/step_second" is unknown; the nearest known name is "perf/step_seconds"',
  ]);
});

for (const [claim, json, fault] of [
  [
    "a NaN learning rate",
    { training: { learning_rate: "NaN" } },
    "recipe.training.learning_rate: must be finite; NaN was found",
  ],
  [
    "an odd head width",
    { model: { dim: 96 } },
    "recipe.model.dim: 96 / n_heads 32 = 3 is odd; rotary positions turn pairs, so it must be even",
  ],
  [
    "a model type that there is not",
    { model: { model_type: "mamba" } },
    'recipe.model.model_type: must be in list [model, model_original, model_no_feed]; "mamba" was found',
  ],
  [
    "no validation rows",
    { data: { path: "a.jsonl", validation_every: 0 } },
    "recipe.data.validation_every: 0 sets no row aside and validation_path is empty, so that no checkpoint could be evaluated",
  ],
  [
    "two sources of validation rows",
    { data: { path: "a.jsonl", validation_path: "b", validation_every: 9 } },
    "recipe.data.validation_every: 9 sets rows aside, but validation_path names a file of them; 0 is expected",
  ],
  [
    "a thousand million layers",
    { model: { n_layers: 1_000_000_000 } },
    "recipe.model.n_layers: must be greater than or equal to 1 and less than or equal to 256; 1000000000 was found",
  ],
  [
    "each size allowed, their product not",
    { model: { dim: 16384, n_layers: 256, hidden_dim: 65536 } },
    "recipe.model: training needs at least 14986 GiB; 1024 GiB are the limit: make dim, n_layers, hidden_dim or max_seq_len smaller",
  ],
  [
    "a batch too large for one message",
    { training: { batch_size: 65536 }, model: { max_seq_len: 1024 } },
    "recipe.training.batch_size: 65536 rows of max_seq_len 1024 are 67108864 positions; the limit is 33554432; accumulate more, smaller micro-steps",
  ],
  ["an empty path", { data: { path: "" } }, 'recipe.data.path: must be at least 1 characters; "" was found'],
  [
    "texts above the size of a record",
    { intent: { decisions: Array.from({ length: 20 }, () => ({ reason: "r".repeat(15_000) })) } },
    "recipe: is 301594 bytes of JSON; the limit is 262144",
  ],
] as const satisfies readonly (readonly [string, JsonObject, string])[]) {
  test(`${claim}: refused with one sentence`, () => assert.equal(faultsOf(recipeOf(json)).at(-1), fault));
}

test("no recipe, and a recipe without data, are refused", () => {
  assert.deepEqual(faultsOf(undefined), ["recipe: is missing"]);
  assert.ok(faultsOf(create(RecipeSchema)).includes("recipe.data: value is required"));
});

test("forty faults are listed, the others counted", () => {
  const targets = Array.from({ length: 60 }, () => ({ metric: "x", comparison: "<", value: 1 }));
  const faults = faultsOf(recipeOf({ targets }));
  assert.equal(faults.length, 41);
  assert.equal(faults.at(-1), "recipe: 20 more faults are not listed");
});

test("whatever the numbers are, a recipe is completed or refused, and completing is idempotent", () => {
  const number = fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.constantFrom(0, 1, 2, 8, 64, 512, 2 ** 31 - 1));
  const model = fc.record(
    {
      dim: number,
      n_layers: number,
      n_heads: number,
      n_kv_heads: number,
      hidden_dim: number,
      max_seq_len: number,
      vocab_size: number,
      multiple_of: number,
    },
    { requiredKeys: [] },
  );
  const training = fc.record(
    { save_interval: number, accumulation_steps: number, batch_size: number },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(model, training, (m, t) => {
      const recipe = recipeOf({ model: m, training: t });
      if (faultsOf(recipe).length > 0) return;
      const complete = completeRecipe(recipe);
      assert.ok(equals(RecipeSchema, completeRecipe(complete), complete));
      assert.equal(complete.model.dim % complete.model.nHeads, 0);
    }),
    { numRuns: 300 },
  );
});
