/** What a run of the full size begins with on real text: 25,829,888 parameters as they are drawn, before the first step. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { goldenTest } from "@pretrain/golden";
import { InferenceProgram } from "@pretrain/inference-program";
import { initialWeights } from "@pretrain/model";
import { loadTokenizer, wrappedRow } from "@pretrain/tokenizer";

const shape = {
  vocabularySize: 6400,
  dim: 512,
  layers: 8,
  heads: 32,
  keyValueHeads: 8,
  hiddenDim: 1408,
  normEps: 1e-5,
  ropeTheta: 1e6,
  maxSequenceLength: 512,
} as const;

const files = ["hongloumeng", "tinyshakespeare", "wikitext2-valid"].map((corpus) => `${corpus}.valid.jsonl`);
const [recorded, lnVocabulary] = [8.9431, Math.log(6400)];

goldenTest(
  "corpora",
  [...files, "../tokenizer/tokenizer.json"],
  "the first loss on real text lies between ln V and 9.0 for each text and seed, and around the recorded 8.9431",
  (set) => {
    const tokenizer = loadTokenizer(readFileSync(resolve(set.folder, "../tokenizer/tokenizer.json")));
    const rowOf = (line: string) =>
      wrappedRow(tokenizer.encode(JSON.parse(line).text), tokenizer.specialTokens, {
        maximumLength: 512,
        cut: "after_wrap",
      });
    const texts = files.map((file) =>
      readFileSync(set.path(file), "utf8")
        .split("\n", 3)
        .map((line) => rowOf(line).ids),
    );
    using one = new InferenceProgram({ shape, weights: initialWeights(shape, 1) });
    using other = one.withWeights(initialWeights(shape, 2));
    const losses = [one, other].flatMap((program) =>
      texts.map((rows) => meanOf(program.losses(rows).flatMap((ofRow) => [...ofRow]))),
    );
    assert.ok(
      losses.every((loss) => loss > lnVocabulary && loss < 9),
      losses.join(" "),
    );
    assert.ok(Math.min(...losses) < recorded && Math.max(...losses) > recorded, losses.join(" "));
  },
);

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
