/** The golden model, traced: losses of rows, rolling windows, and its greedy continuation. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import {
  assertClose,
  type GoldenConfig,
  type GoldenSet,
  goldenBatches,
  goldenSets,
  goldenShape,
  goldenTest,
} from "@pretrain/golden";
import { generate, likeliest } from "@pretrain/scoring";
import { InferenceProgram, type InferenceProgramOptions } from "./index.ts";

const modelFiles = ["config.json", "weights.f32.safetensors"];
const tolerance = 2e-5;

const ways: readonly (readonly [string, Pick<InferenceProgramOptions, "kernels" | "xla">])[] = [
  ["plain kernels", { kernels: "plain" }],
  ["fused kernels", { kernels: "fused" }],
  ["XLA", { xla: true }],
];

for (const [name, way] of ways) {
  const open = (set: GoldenSet) => {
    const config = set.json<GoldenConfig>("config.json");
    const stored = [...set.tensors("weights.f32.safetensors")];
    const weights = new Map(stored.map(([name, { values }]) => [name, Float32Array.from(values)]));
    return new InferenceProgram({ shape: goldenShape(config, config.max_seq_len), weights, ...way });
  };

  goldenTest(
    "golden-model",
    [...modelFiles, "batches.i32.safetensors", "forward_backward.f64.safetensors"],
    `token losses, traced over ${name}, are those of f64`,
    (set) => {
      using program = open(set);
      const [batch] = goldenBatches(set);
      assert(batch !== undefined);
      const rows = batch.rows.map((row, index) => row.slice(0, batch.lengths[index]));
      const { values = new Float64Array() } = set.tensors("forward_backward.f64.safetensors").get("token_losses") ?? {};
      const width = (batch.rows[0]?.length ?? 1) - 1;
      for (const [index, losses] of program.losses(rows).entries()) {
        const expected = values.subarray(index * width, index * width + losses.length);
        assertClose(losses, expected, tolerance, `row ${index}`);
      }
    },
  );

  goldenTest(
    "golden-model",
    [...modelFiles, "expected.json", "generate.f32.safetensors"],
    `the greedy continuation, traced over ${name}, is that of f32`,
    async (set) => {
      using program = open(set);
      const config = set.json<GoldenConfig>("config.json");
      const { prompt, by_dtype } = set.json<{
        prompt: number[];
        by_dtype: Record<string, { generated: number[] }>;
      }>("expected.json");
      const limits = { maxNewTokens: config.max_new_tokens, maxSequenceLength: config.max_seq_len };
      using decoder = program.decoder(prompt.length + config.max_new_tokens);
      const scores: number[] = [];
      const nextToken = (tokens: readonly number[]) => {
        const found = decoder.scores(tokens);
        scores.push(...found);
        return likeliest(found);
      };
      assert.deepEqual(await Array.fromAsync(generate(prompt, nextToken, limits)), by_dtype["f32"]?.generated);
      const golden = set.tensors("generate.f32.safetensors").get("logits");
      assertClose(scores, golden?.values ?? [], tolerance, "logits");
    },
  );

  goldenTest(
    "golden-eval",
    ["sliding_window.json"],
    `rolling windows, traced over ${name}, give the golden loss of each token`,
    (set, t) => {
      const model = goldenSets("golden-model").find(
        ({ title }) => title.replace("golden-model", "golden-eval") === set.title,
      );
      if (model === undefined) return t.skip(`${set.title}: there is no golden-model beside it`);
      using program = open(model);
      const { prefix, tokens, cases } = set.json<{ tiny_model: TinyModel }>("sliding_window.json").tiny_model;
      for (const { context, stride, token_losses } of cases) {
        const [losses = []] = program.losses([[prefix, ...tokens]], undefined, { context, stride });
        assertClose(losses, token_losses, tolerance, `context ${context}, stride ${stride}`);
      }
    },
  );
}

interface TinyModel {
  readonly prefix: number;
  readonly tokens: number[];
  readonly cases: { context: number; stride: number; token_losses: number[] }[];
}
