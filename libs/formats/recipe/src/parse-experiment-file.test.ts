import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument, messageOf } from "@pretrain/errors";
import fc from "fast-check";
import { experimentFileText, parseExperimentFile } from "./index.ts";

function refusalOf(text: string): string {
  try {
    parseExperimentFile(text, "r.yaml");
    return "accepted";
  } catch (error) {
    assert.ok(error instanceof InvalidArgument, messageOf(error));
    return error.message;
  }
}

test("YAML and JSON, snake_case and lowerCamelCase mean the same", () => {
  const yaml = parseExperimentFile("experiment_id: 1.4.0\nrecipe:\n  model: {n_heads: 4, rope_theta: 1e4}\n", "r.yaml");
  const json = parseExperimentFile(
    '{\n\t"experimentId": "1.4.0",\n\t"recipe": {"model": {"nHeads": 4, "ropeTheta": 1e4}}\n}',
    "r.json",
  );
  assert.deepEqual(json, yaml);
  assert.equal(yaml.experimentId, "1.4.0");
  assert.equal(yaml.recipe?.model?.nHeads, 4);
  assert.equal(yaml.recipe?.model?.ropeTheta, 10_000);
});

test("a key without a value, and null, leave the field to its default", () => {
  const request = parseExperimentFile(
    "experiment_id: a\nrecipe:\n  model:\n  data: {path: a.txt, tokenizer_path: null}\n",
    "r.yaml",
  );
  assert.equal(request.recipe?.model, undefined);
  assert.equal(request.recipe?.data?.tokenizerPath, undefined);
});

test("texts keep their characters, also in block form", () => {
  const request = parseExperimentFile(
    "recipe:\n  intent:\n    purpose: |\n      运行 model_original\n      第二行\n",
    "r.yaml",
  );
  assert.equal(request.recipe?.intent?.purpose, "运行 model_original\n第二行\n");
});

test("every unknown field is named with its line and the nearest known name", () => {
  const text =
    "experiment_id: a\nrecipe:\n  modle: {}\n  model:\n    hidden_size: 3\n  targets:\n  - metrik: train/loss\n";
  assert.equal(
    refusalOf(text),
    [
      'recipe.modle: "modle" is unknown; the nearest known name is "model" (r.yaml, line 3)',
      'recipe.model.hidden_size: "hidden_size" is unknown; the nearest known name is "hidden_dim" (r.yaml, line 5)',
      'recipe.targets[0].metrik: "metrik" is unknown; the nearest known name is "metric" (r.yaml, line 7)',
    ].join("; "),
  );
});

for (const [claim, text, refusal] of [
  [
    "a text for a number",
    "recipe: {model: {dim: wide}}",
    'recipe.model.dim: expected number (int32), got "wide" (r.yaml, line 1)',
  ],
  [
    "a fraction for a count",
    "recipe:\n  model: {dim: 1.5}",
    "recipe.model.dim: expected number (int32), got 1.5 (r.yaml, line 2)",
  ],
  [
    "an id that YAML reads as a number",
    "experiment_id: 1.4",
    "experiment_id: expected string, got 1.4; put it in quotes (r.yaml, line 1)",
  ],
  [
    "a value for a group",
    "recipe: {model: 3}",
    "recipe.model: a group of fields is expected: model_type, dim, n_layers",
  ],
  ["a value for a list", "recipe: {targets: 3}", "recipe.targets: a list is expected (r.yaml, line 1)"],
  [
    "a list for a value",
    "recipe: {model: {dim: [1]}}",
    "recipe.model.dim: a single value is expected (r.yaml, line 1)",
  ],
  ["a key twice", "recipe: {}\nrecipe: {}", "r.yaml: line 2: Map keys must be unique"],
  [
    "a field in both spellings",
    "recipe: {model: {n_heads: 1, nHeads: 2}}",
    "recipe.model.nHeads: is there twice, as n_heads and nHeads",
  ],
  [
    "an alias",
    "experiment_id: &a x\nrequest_id: *a",
    "request_id: aliases are not accepted; write the value (r.yaml, line 2)",
  ],
  ["a tag", "experiment_id: !ruby/object x", "r.yaml: line 1: Unresolved tag: !ruby/object"],
  ["an infinite number", "recipe: {model: {rope_theta: .inf}}", "recipe.model.rope_theta: unexpected infinite number"],
  ["no YAML", "recipe: [}", "r.yaml: line 1:"],
  ["two documents", "recipe: {}\n---\nrecipe: {}", "r.yaml: holds several documents; one is expected"],
  [
    "nothing",
    "",
    "the file: a group of fields is expected: experiment_id, recipe, request_id, priority (r.yaml, line 1)",
  ],
  ["a prototype", "__proto__: {recipe: 1}", '__proto__: "__proto__" is unknown'],
  ["more than 256 KiB", `# ${"x".repeat(2 ** 18)}`, "r.yaml: is 262146 bytes; the limit is 262144"],
  ["200,000 brackets", "[".repeat(200_000), "r.yaml: is nested too deeply"],
  ["100,000 lists in lists", "- ".repeat(100_000), "r.yaml: is nested too deeply"],
  [
    "20,000 keys",
    Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join(""),
    "r.yaml: has a list or group of more than 1000 entries",
  ],
  [
    "100,000 brackets behind a value",
    `recipe: { }${"{".repeat(100_000)}`,
    "r.yaml: has more than 1000 signs behind the end of a value",
  ],
  [
    "8,000 values behind the document",
    `recipe: { }\n${" loss] }\nics: [".repeat(8_000)}`,
    "r.yaml: has more than 1000 signs that belong to nothing",
  ],
] as const) {
  test(`${claim}: refused by name, in little time`, () => {
    const before = process.cpuUsage();
    const said = refusalOf(text);
    assert.ok(said.startsWith(refusal), said);
    assert.ok(process.cpuUsage(before).user < 2e6); // µs; without limits the last three take seconds to minutes
  });
}

test("no text makes the reader fail in another way than by a refusal", () => {
  const piece = fc.constantFrom(
    "recipe",
    "model",
    "dim",
    ": ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "1e3",
    "'",
    '"',
    "&a",
    "*a",
    "!!map",
    "|\n",
    "? ",
    "#",
    "---",
    "<<: ",
    "\t",
    "\0",
    "𝄞",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void refusalOf(pieces.join(""))),
    { numRuns: 2000 },
  );
});

test("a request written as a file is read back as the same request, whatever its words", () => {
  const words = fc.constantFrom("走完整条路径 <b>", "a: b\n- c # d", "null", "1e4", "  ", "'\"\\", "|\n>");
  fc.assert(
    fc.property(words, words, fc.double({ min: 1e-6, max: 1, noNaN: true }), (purpose, risks, learningRate) => {
      const request = parseExperimentFile(
        JSON.stringify({ experiment_id: "1.4.0", recipe: { intent: { purpose, risks }, training: { learningRate } } }),
        "r.json",
      );
      assert.deepEqual(parseExperimentFile(experimentFileText(request), "r.yaml"), request);
    }),
  );
});
