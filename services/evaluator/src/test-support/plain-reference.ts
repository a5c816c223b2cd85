/**
 * The numbers once more, the long way: one row at a time, one position at a time, without cache, batch or padding, with the
 * logarithm of the softmax written out in 64 bits. Shares nothing with what is tested but the model's forward pass.
 */
import { logits, parameterShapes, type Weights } from "@pretrain/model";
import { tf } from "@pretrain/tensorflow-native";
import { tinyShape } from "./tiny-experiment.ts";

export interface PlainModel {
  /** Scores of the token after each position: [positions][vocabulary]. */
  readonly scores: (tokens: readonly number[]) => number[][];
}

/** Its tensors stay for the rest of the process. */
export function plainModel(weights: ReadonlyMap<string, Float32Array>): PlainModel {
  const shapes = parameterShapes(tinyShape);
  const onDevice: Weights = Object.fromEntries(
    [...weights].map(([name, data]) => [name, tf.tensor(data, [...(shapes.get(name) ?? [])], "float32")]),
  );
  const scores = (tokens: readonly number[]): number[][] =>
    tf.tidy(() => {
      const ids = tf.tensor2d([...tokens], [1, tokens.length], "int32");
      return tf.squeeze<tf.Tensor2D>(logits(onDevice, ids, tinyShape), [0]).arraySync();
    });
  return { scores };
}

/** What the model paid for `tokens[position]`, in nats, having read all before it. */
export function costOf({ scores }: PlainModel, tokens: readonly number[], position: number): number {
  const row = scores(tokens.slice(0, position)).at(-1) ?? [];
  const largest = Math.max(...row);
  const logSum = Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0)) + largest;
  return logSum - (row[tokens[position] ?? -1] ?? Number.NaN);
}

/** `count` new tokens, each the likeliest after all before it; fewer when `eos` comes. */
export function greedy({ scores }: PlainModel, prompt: readonly number[], count: number, eos: number): number[] {
  const tokens = [...prompt];
  for (let made = 0; made < count; made += 1) {
    const row = scores(tokens).at(-1) ?? [];
    const token = row.indexOf(Math.max(...row));
    tokens.push(token);
    if (token === eos) break;
  }
  return tokens.slice(prompt.length);
}
