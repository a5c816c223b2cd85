/** Loss, gradients and continuation of the golden model: the model and its scoring together. */
import "@pretrain/tensorflow-native";
import assert from "node:assert/strict";
import {
  assertClose,
  type GoldenConfig,
  type GoldenSet,
  goldenBatches,
  goldenShape,
  goldenTest,
} from "@pretrain/golden";
import { logits, type ModelShape, predictions, type Weights } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { countsOfLengths, generate, greedyDecoder, type NextToken, nextTokenLoss, nextTokenLosses } from "./index.ts";
import { likeliest } from "./token-choice.ts";

const modelFiles = ["config.json", "weights.f32.safetensors"];
const logitsTolerance = 2e-5;
const gradientTolerance = { relative: 1e-5 };
const lossTolerance = { relative: 2e-6 };

interface Model {
  readonly shape: ModelShape;
  readonly weights: Weights;
}

function goldenModel(set: GoldenSet): Model {
  const config = set.json<GoldenConfig>("config.json");
  const stored = [...set.tensors("weights.f32.safetensors")];
  const weights = stored.map(([name, { shape, values }]) => [name, tf.tensor(Float32Array.from(values), shape)]);
  return { shape: goldenShape(config, config.max_seq_len), weights: Object.fromEntries(weights) };
}

interface Batch {
  readonly tokens: tf.Tensor2D;
  readonly counts: tf.Tensor2D;
}

const batchOf = ({ rows, lengths }: { rows: readonly (readonly number[])[]; lengths: readonly number[] }): Batch => ({
  tokens: tf.tensor2d(
    rows.map((row) => [...row]),
    undefined,
    "int32",
  ),
  counts: countsOfLengths(tf.tensor1d([...lengths], "int32"), rows[0]?.length ?? 0),
});

const firstBatch = (set: GoldenSet) => {
  const [batch] = goldenBatches(set);
  assert(batch !== undefined);
  return batch;
};

const lossOf = ({ shape, weights }: Model, { tokens, counts }: Batch) =>
  nextTokenLoss(predictions(weights, tokens, shape), tokens, counts);

/** Of the mean loss, by name. */
function gradientsOf(model: Model, batch: Batch): Map<string, Float32Array> {
  const names = Object.keys(model.weights);
  const mean = (...tensors: tf.Tensor[]): tf.Scalar => {
    const weights = Object.fromEntries(names.map((name, index) => [name, tensors[index] ?? tf.scalar(0)]));
    const { nats, tokens } = lossOf({ ...model, weights }, batch);
    return tf.div(nats, tokens);
  };
  const gradients = tf.grads(mean)(Object.values(model.weights));
  return new Map(names.map((name, index) => [name, gradients[index]?.dataSync<"float32">() ?? new Float32Array()]));
}

interface ExpectedLosses {
  readonly by_dtype: Record<string, { loss: number; loss_sum: number; targets: number; generated: number[] }>;
  readonly prompt: number[];
}

for (const precision of ["f32", "f64"]) {
  const file = `forward_backward.${precision}.safetensors`;
  const files = [...modelFiles, "batches.i32.safetensors", "expected.json", file];
  goldenTest("golden-model", files, `loss, token losses and gradients are those of ${precision}`, (set) => {
    const model = goldenModel(set);
    const batch = batchOf(firstBatch(set));
    const golden = set.tensors(file);
    const expected = set.json<ExpectedLosses>("expected.json").by_dtype[precision];
    assert(expected !== undefined);
    const loss = lossOf(model, batch);
    assertClose(loss.nats.dataSync(), expected.loss_sum, lossTolerance, "loss sum");
    assert.equal(loss.tokens.dataSync()[0], expected.targets);
    const losses = nextTokenLosses(predictions(model.weights, batch.tokens, model.shape), batch.tokens, batch.counts);
    assertClose(losses.dataSync(), golden.get("token_losses")?.values ?? [], logitsTolerance, "token losses");
    for (const [name, gradient] of gradientsOf(model, batch)) {
      assertClose(gradient, golden.get(`grad.${name}`)?.values ?? [], gradientTolerance, name);
    }
  });
}

goldenTest(
  "golden-model",
  [...modelFiles, "batches.i32.safetensors"],
  "padding, as columns or as rows, changes no loss and no gradient",
  (set) => {
    const model = goldenModel(set);
    const { rows, lengths } = firstBatch(set);
    const bare = batchOf({ rows, lengths });
    const columns = batchOf({ rows: rows.map((row) => [...row, 0, 0, 0]), lengths });
    const garbage = batchOf({ rows: rows.map((row) => [...row, 7, 7]), lengths }); // what stands in the padding is no matter
    const nothing = Array<number>(rows[0]?.length ?? 0).fill(0);
    const more = batchOf({ rows: [...rows, nothing], lengths: [...lengths, 0] });
    const [nats] = lossOf(model, bare).nats.dataSync();
    const gradients = gradientsOf(model, bare);
    for (const [what, padded] of Object.entries({ columns, garbage, more })) {
      assertClose(lossOf(model, padded).nats.dataSync(), nats ?? NaN, lossTolerance, what);
      assert.equal(lossOf(model, padded).tokens.dataSync()[0], lossOf(model, bare).tokens.dataSync()[0]);
      for (const [name, gradient] of gradientsOf(model, padded)) {
        assertClose(gradient, gradients.get(name) ?? [], gradientTolerance, `${name}, ${what}`);
      }
    }
  },
);

goldenTest(
  "golden-model",
  modelFiles,
  "a batch of nothing but padding has a loss of 0 over 0 tokens and no gradient, never NaN",
  (set) => {
    const model = goldenModel(set);
    const batch = batchOf({
      rows: [
        [0, 0, 0],
        [5, 6, 7],
      ],
      lengths: [0, 1],
    });
    const { nats, tokens } = lossOf(model, batch);
    assert.deepEqual([nats.dataSync()[0], tokens.dataSync()[0]], [0, 0]);
    const { weights, shape } = model;
    const [gradient] = tf.grads(
      (norm) => lossOf({ shape, weights: { ...weights, "norm.weight": norm as tf.Tensor } }, batch).nats,
    )([weights["norm.weight"] ?? tf.scalar(0)]);
    assertClose(gradient?.dataSync() ?? [], new Float32Array(shape.dim), 0);
  },
);

/** The likeliest token by the whole sequence each time: no cache. */
const withoutCache =
  ({ weights, shape }: Model, logitsOf: (scores: Float32Array) => void): NextToken =>
  (tokens) =>
    tf.tidy(() => {
      const all = logits(weights, tf.tensor2d([...tokens], [1, tokens.length], "int32"), shape);
      const last = tf.slice(all, [0, tokens.length - 1, 0], [1, 1, shape.vocabularySize]).dataSync<"float32">();
      logitsOf(last);
      return likeliest(last);
    });

for (const precision of ["f32", "f64"]) {
  const file = `generate.${precision}.safetensors`;
  const files = [...modelFiles, "expected.json", file];
  goldenTest(
    "golden-model",
    files,
    `the greedy continuation is that of ${precision}, with and without a cache`,
    async (set) => {
      const model = goldenModel(set);
      const config = set.json<GoldenConfig>("config.json");
      const { prompt, by_dtype } = set.json<ExpectedLosses>("expected.json");
      const limits = { maxNewTokens: config.max_new_tokens, maxSequenceLength: config.max_seq_len };
      const golden = set.tensors(file);
      const scores: number[] = [];
      const plain = await Array.fromAsync(
        generate(
          prompt,
          withoutCache(model, (row) => scores.push(...row)),
          limits,
        ),
      );
      using decoder = greedyDecoder(model.weights, model.shape);
      const cached = await Array.fromAsync(generate(prompt, decoder.nextToken, limits));
      assert.deepEqual(plain, by_dtype[precision]?.generated);
      assert.deepEqual(cached, plain);
      assert.deepEqual([...prompt, ...plain], [...(golden.get("sequence")?.values ?? [])]);
      assertClose(scores, golden.get("logits")?.values ?? [], logitsTolerance, "logits");
    },
  );
}
