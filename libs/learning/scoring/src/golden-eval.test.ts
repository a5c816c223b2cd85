/** Slices, the loop, and rolling windows of a real model, against the numbers of other programs. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose, type GoldenConfig, goldenSets, goldenShape, goldenTest } from "@pretrain/golden";
import { rollingWindows } from "@pretrain/measures";
import { logits } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { generate, predictionLosses, predictionSlice, type StopReason } from "./index.ts";

interface SliceCase {
  readonly name: string;
  readonly tensors: string;
  readonly input_length: number;
  readonly predict_length: number;
  readonly right_losses: number[];
  readonly wrong_losses: number[];
}

interface Slices {
  readonly cases: SliceCase[];
  readonly invalid: { input_length: number; predict_length: number; tokens: number; reason: string }[];
}

const sliceFiles = ["slices.json", "golden-eval.safetensors"];

goldenTest(
  "golden-eval",
  sliceFiles,
  "each predicted token is scored by the logits of the position before it",
  (set) => {
    const golden = set.tensors("golden-eval.safetensors");
    for (const { name, tensors, input_length, predict_length, right_losses } of set.json<Slices>("slices.json").cases) {
      const scores = golden.get(`${tensors}.logits`);
      const tokens = golden.get(`${tensors}.tokens`);
      assert(scores !== undefined && tokens !== undefined);
      const losses = predictionLosses(
        tf.tensor2d(Float32Array.from(scores.values), scores.shape as [number, number]),
        tf.tensor1d(Int32Array.from(tokens.values), "int32"),
        input_length,
        predict_length,
      ).dataSync();
      // A float32 of several hundred has no more than four places: half of its last one is allowed besides.
      const place = Math.max(...right_losses) * 2 ** -24;
      assertClose(losses, right_losses, 1e-5 + place, name);
    }
  },
);

goldenTest("golden-eval", sliceFiles, "what cannot be scored is an error, not a number", (set) => {
  const { invalid } = set.json<Slices>("slices.json");
  for (const { input_length, predict_length, tokens, reason } of invalid) {
    const scores: tf.Tensor2D = tf.zeros([tokens, 4]);
    assert.throws(
      () => predictionLosses(scores, tf.zeros([tokens], "int32"), input_length, predict_length),
      RangeError,
      reason,
    );
  }
});

test("the slice begins with the last position of the prompt, whatever comes behind it; too few positions are an error", () => {
  const logits = tf.tensor2d([0, 1, 2, 3, 4], [5, 1]);
  assert.deepEqual(predictionSlice(logits, 2, 3).arraySync(), [[1], [2], [3]]);
  assert.deepEqual(predictionSlice(logits, 1, 5).arraySync(), [[0], [1], [2], [3], [4]]);
  assert.throws(() => predictionSlice(tf.zeros([3, 2]), 2, 3), /logits of 3 positions, 4 are needed/);
});

interface StreamCase {
  readonly start: number;
  readonly max_new_tokens: number;
  readonly max_seq_len?: number;
  readonly eos_as_new_token_number?: number | null;
  readonly new_tokens: number;
  readonly stop_reason: "max_new_tokens" | "eos" | "max_seq_len";
}

interface Stream {
  readonly cases: StreamCase[];
  readonly with_length_limit: StreamCase[];
  readonly empty_generation: { prompt: number[]; max_new_tokens: number; output: number[] };
}

const [eos, other] = [2, 9];

async function run(prompt: number[], { max_new_tokens, max_seq_len, eos_as_new_token_number: eosAt }: StreamCase) {
  const limits = {
    maxNewTokens: max_new_tokens,
    maxSequenceLength: max_seq_len ?? Number.POSITIVE_INFINITY,
    eosToken: eos,
  };
  const nextToken = (tokens: readonly number[]) => (tokens.length - prompt.length + 1 === eosAt ? eos : other);
  const tokens: number[] = [];
  const steps = generate(prompt, nextToken, limits);
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done === true) return { tokens, stopReason: step.value };
    tokens.push(step.value);
  }
}

goldenTest(
  "golden-eval",
  ["stream.json"],
  "the loop makes as many tokens as asked for, whatever the prompt's length",
  async (set) => {
    const { cases, with_length_limit } = set.json<Stream>("stream.json");
    const reasons = { max_new_tokens: "max_new_tokens", eos: "eos", max_seq_len: "max_sequence_length" } as const;
    for (const each of [...cases, ...with_length_limit]) {
      const prompt = Array<number>(each.start).fill(other);
      const { tokens, stopReason } = await run(prompt, each);
      const expected: { made: number; stopReason: StopReason } = {
        made: each.new_tokens,
        stopReason: reasons[each.stop_reason],
      };
      assert.deepEqual({ made: tokens.length, stopReason }, expected, JSON.stringify(each));
      assert.equal(tokens.filter((token) => token === eos).length, stopReason === "eos" ? 1 : 0);
    }
  },
);

goldenTest("golden-eval", ["stream.json"], "with no new token the result is the prompt, once", async (set) => {
  const { prompt, max_new_tokens, output } = set.json<Stream>("stream.json").empty_generation;
  const made = await Array.fromAsync(
    generate(prompt, () => other, { maxNewTokens: max_new_tokens, maxSequenceLength: 512 }),
  );
  assert.deepEqual([...prompt, ...made], output);
});

test("a token is given out before the next one is asked for, and the decoder sees all that came before", async () => {
  const seen: number[][] = [];
  const steps = generate([7], (tokens) => (seen.push([...tokens]), tokens.length), {
    maxNewTokens: 3,
    maxSequenceLength: 9,
  });
  await steps.next();
  assert.deepEqual(seen, [[7]]);
  await Array.fromAsync(steps);
  assert.deepEqual(seen, [[7], [7, 1], [7, 1, 2]]);
  await assert.rejects(
    generate([], () => 1, { maxNewTokens: 1, maxSequenceLength: 9 }).next(),
    /nothing predicts a first token/,
  );
});

interface TinyModel {
  readonly prefix: number;
  readonly tokens: number[];
  readonly cases: { context: number; stride: number; token_losses: number[]; mean: number }[];
}

/** The golden model beside a golden-eval set: the folder next to it. */
const modelBeside = (title: string) =>
  goldenSets("golden-model").find((set) => set.title.replace("golden-model", "golden-eval") === title);

goldenTest(
  "golden-eval",
  ["sliding_window.json"],
  "a real model's rolling windows give the golden loss of each token",
  (set, t) => {
    const model = modelBeside(set.title);
    if (model === undefined) return t.skip(`${set.title}: there is no golden-model beside it`);
    const config = model.json<GoldenConfig>("config.json");
    const shape = goldenShape(config, config.max_seq_len);
    const stored = [...model.tensors("weights.f32.safetensors")];
    const weights = Object.fromEntries(
      stored.map(([name, tensor]) => [name, tf.tensor(Float32Array.from(tensor.values), tensor.shape)]),
    );
    const { prefix, tokens, cases } = set.json<{ tiny_model: TinyModel }>("sliding_window.json").tiny_model;
    for (const { context, stride, token_losses } of cases) {
      const losses = rollingWindows(tokens.length, context, stride).flatMap(({ input: [begin, end], score }) => {
        const text = [prefix, ...tokens].slice(begin + 1, score[1] + 1); // what is read, and the token behind it
        const read = tf.tensor2d([text.slice(0, end - begin)], undefined, "int32");
        const scores: tf.Tensor2D = tf.squeeze(logits(weights, read, shape), [0]);
        const inputLength = score[0] - begin;
        return [...predictionLosses(scores, tf.tensor1d(text, "int32"), inputLength, score[1] - score[0]).dataSync()];
      });
      assertClose(losses, token_losses, 2e-5, `context ${context}, stride ${stride}`);
    }
  },
);
