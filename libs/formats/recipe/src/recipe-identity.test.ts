import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromJson } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { RecipeSchema } from "@pretrain/proto";
import {
  canonicalRecipeJson,
  experimentId,
  experimentName,
  idOfExperimentName,
  metricNamed,
  metrics,
  recipeSha256,
} from "./index.ts";

test("the digest is over sorted names without spaces, whatever the order of the file", () => {
  const a = fromJson(RecipeSchema, { training: { seed: 7, learningRate: 2e-4 }, data: { path: "é.txt" }, targets: [] });
  const b = fromJson(RecipeSchema, { data: { path: "é.txt" }, training: { learningRate: 0.0002, seed: 7 } });
  assert.equal(canonicalRecipeJson(a), '{"data":{"path":"é.txt"},"training":{"learning_rate":0.0002,"seed":7}}');
  // printf '%s' '{"data":{"path":"é.txt"},"training":{"learning_rate":0.0002,"seed":7}}' | sha256sum
  assert.equal(recipeSha256(a), "1dbec6bf3125e825af86f6ce6f7716853c7991f80671ce736b9f150c0918cc68");
  assert.equal(recipeSha256(b), recipeSha256(a));
});

test("all spellings of an id mean one experiment", () => {
  for (const spelling of ["1-4-0", "1.4.0", "1_4_0", "experiment_1_4_0", "Experiment-1.4.0"]) {
    assert.equal(experimentId(spelling), "1-4-0", spelling);
    assert.equal(idOfExperimentName(`experiments/${spelling}`), "1-4-0", spelling);
  }
  assert.equal(experimentName("1-4-0"), "experiments/1-4-0");
  assert.equal(experimentId("experiment-design"), "experiment-design"); // no number follows: its own name
  assert.equal(experimentId("a".repeat(63)), "a".repeat(63));
});

test("what cannot be one token is refused by its field", () => {
  for (const spelling of [
    "",
    "a/b",
    "..",
    "-a",
    "a.",
    "a b",
    "a".repeat(64),
    "实验",
    "a\n",
    "experiments/a",
    "a*",
    "a>",
  ]) {
    assert.throws(
      () => experimentId(spelling, "name"),
      (error) => error instanceof InvalidArgument && error.violations[0]?.field === "name",
      JSON.stringify(spelling),
    );
  }
  assert.throws(() => idOfExperimentName("datasets/a"), InvalidArgument);
});

test("docs/metrics.md begins with the table of metrics", (t) => {
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
  assert.equal(metricNamed("eval/loss")?.unit, "nats per token");
  const rows = metrics.map(({ name, unit, meaning, better, huggingFace = "", olmo = "", miniMind = "" }) =>
    ["", `\`${name}\``, unit, meaning, better, ...[huggingFace, olmo, miniMind].map(code), ""].join(" | ").trim(),
  );
  const page = [
    "# Metrics",
    "",
    "The numbers that a recipe's targets, predictions and hypotheses may name. All are of the whole run, computed by the report from",
    "the ledger. Written from `libs/formats/recipe/src/metrics.ts` by that package's tests with `--test-update-snapshots`.",
    "",
    "| name | unit | meaning | better | Hugging Face | OLMo-core | MiniMind |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
  const path = new URL("../../../../docs/metrics.md", import.meta.url).pathname;
  const written = readFileSync(path, "utf8");
  const [, sections = ""] = /\n(## [^]*)$/.exec(written) ?? []; // what is written by hand stays
  t.assert.fileSnapshot(`${page}\n${sections}`, path, { serializers: [String] });
});

function code(name: string): string {
  return name === "" ? "" : `\`${name}\``;
}
