/**
 * The loss of many predictions without their logits ever existing whole: rows are scored a chunk at a time. At 8 x 512 tokens and
 * 6,400 entries all logits and their gradient would take 210 MB.
 */
import { after, inputGradient, linear, type Predictions, weightGradient, withGradient } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropyAndGradient } from "./cross-entropy.ts";
import { type PredictionScores, predictionScores } from "./prediction-scores.ts";

const rowsPerChunk = 1024;

/**
 * Σ weights * cross-entropy, in nats. The gradients are made in the forward pass, chunk by chunk, while a chunk's logits are there;
 * the backward pass only scales them.
 *
 * @param targets [rows], int32   @param weights [rows]
 */
export function chunkedLoss(
  { hidden, outputMatrix }: Predictions,
  targets: tf.Tensor1D,
  weights: tf.Tensor1D,
  chunkRows = rowsPerChunk,
): tf.Scalar {
  return withGradient([hidden, outputMatrix], () => {
    const dHidden: tf.Tensor2D[] = [];
    let nats = tf.scalar(0);
    let dMatrix: tf.Tensor2D | undefined;
    for (const { rows, ...chunk } of chunksOf({ hidden, targets, weights }, chunkRows)) {
      const read = dMatrix === undefined ? rows : after(rows, dMatrix); // one chunk's logits at a time
      const { losses, dLogits } = crossEntropyAndGradient(linear(read, outputMatrix), chunk.targets, chunk.weights);
      nats = tf.add(nats, tf.sum(losses));
      dHidden.push(inputGradient(dLogits, outputMatrix));
      const share = weightGradient(dLogits, read);
      dMatrix = dMatrix === undefined ? share : tf.add(dMatrix, share);
    }
    if (dMatrix === undefined) throw new RangeError("there is no prediction to score");
    return {
      value: nats,
      saved: [tf.concat(dHidden, 0), dMatrix],
      gradients: (gradient, saved) => saved.map((kept) => tf.mul(kept, gradient)),
    };
  });
}

/** What each prediction came to: see `predictionScores`. Each [rows]. */
export function chunkedScores(
  { hidden, outputMatrix }: Predictions,
  targets: tf.Tensor1D,
  weights: tf.Tensor1D,
  chunkRows = rowsPerChunk,
): PredictionScores {
  const parts: PredictionScores[] = [];
  for (const { rows, ...chunk } of chunksOf({ hidden, targets, weights }, chunkRows)) {
    const before = parts.at(-1)?.losses;
    const read = before === undefined ? rows : after(rows, before);
    parts.push(tf.tidy(() => predictionScores(linear(read, outputMatrix), chunk.targets, chunk.weights)));
  }
  const whole = (name: keyof PredictionScores) => tf.concat(parts.map((part) => part[name]));
  return { losses: whole("losses"), likeliest: whole("likeliest"), confidence: whole("confidence") };
}

function* chunksOf(
  { hidden, targets, weights }: { hidden: tf.Tensor2D; targets: tf.Tensor1D; weights: tf.Tensor1D },
  chunkRows: number,
) {
  const [rows, dim] = hidden.shape;
  for (let first = 0; first < rows; first += chunkRows) {
    const count = Math.min(chunkRows, rows - first);
    yield {
      rows: tf.slice(hidden, [first, 0], [count, dim]),
      targets: tf.slice(targets, [first], [count]),
      weights: tf.slice(weights, [first], [count]),
    };
  }
}
