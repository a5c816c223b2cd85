/** Which logits score which tokens, when a prompt is followed by the text that a model should have predicted. */
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "./cross-entropy.ts";

/**
 * The logits that predict the `predictLength` tokens behind a prompt: `[inputLength - 1 : inputLength + predictLength - 1]`.
 * The last token of the prompt makes the first prediction, and the last predicted token makes none that can be checked:
 *
 *     tokens         p0   p1   p2 | t0   t1           inputLength 3, predictLength 2
 *     logits          ·    ·   L2   L3    ·           L2 scores t0, L3 scores t1
 *
 * @param logits [positions, vocabulary]   @returns [predictLength, vocabulary]
 * @throws RangeError when no token is to be scored, none comes before the first one, or positions are missing
 */
export function predictionSlice(logits: tf.Tensor2D, inputLength: number, predictLength: number): tf.Tensor2D {
  const [positions, vocabulary] = logits.shape;
  if (inputLength < 1) throw new RangeError(`input length ${inputLength}: no logits predict the first token`);
  if (predictLength < 1) throw new RangeError(`predict length ${predictLength}: there is no token to score`);
  const end = inputLength + predictLength - 1;
  if (positions < end) throw new RangeError(`logits of ${positions} positions, ${end} are needed`);
  return tf.slice(logits, [inputLength - 1, 0], [predictLength, vocabulary]);
}

/**
 * The loss of each token behind a prompt, in nats, each predicted from the true tokens before it.
 *
 * @param logits [positions, vocabulary] that the model gave for `tokens`   @param tokens [length], int32, prompt first
 * @returns [predictLength]   @throws RangeError as `predictionSlice`, and when there are fewer tokens than the two lengths ask for
 */
export function predictionLosses(
  logits: tf.Tensor2D,
  tokens: tf.Tensor1D,
  inputLength: number,
  predictLength: number,
): tf.Tensor1D {
  const needed = inputLength + predictLength;
  if (tokens.shape[0] < needed) throw new RangeError(`${tokens.shape[0]} tokens, ${needed} are needed`);
  const predictions = predictionSlice(logits, inputLength, predictLength);
  return crossEntropy(predictions, tf.slice(tokens, [inputLength], [predictLength]));
}
