/** Generation reads a text piece by piece and keeps what it has read; scoring reads it whole. Both must predict the same. */
import type { LoadedModel } from "../load-model.ts";
import { type Canary, largestDifference } from "./canary.ts";
import { textRows } from "./exam-rows.ts";

/** More than one chunk of the decoding kernel, and few enough to be read one by one in a moment. */
const longestText = 56;

export const cachedDecode: Canary<LoadedModel> = {
  name: "cached_decode",
  claim: "a text read piece by piece, as generation does, costs for each token what it costs in one piece",
  unit: "nats",
  limit: 2e-3, // 2e-5 was found: sums in another order; a place or a rotation that is wrong costs 0.1 and more
  shapes: "widest",
  examine: ({ program, shape, tokenizer }) => {
    const [text = []] = textRows(tokenizer, [Math.min(longestText, shape.maxSequenceLength)]);
    const promptTokens = Math.ceil(text.length / 2);
    const [whole = new Float32Array()] = program.losses([text]);
    using decoder = program.decoder(text.length);
    const behindPrompt = text.slice(promptTokens);
    const losses = behindPrompt.map((target, index) =>
      costOf(decoder.scores(text.slice(0, promptTokens + index)), target),
    );
    const deviation = largestDifference(losses, whole.subarray(promptTokens - 1));
    const evidence = `a prompt of ${promptTokens} tokens, and ${losses.length} one by one: largest difference of a loss ${deviation.toExponential(1)}`;
    return { deviation, evidence };
  },
};

/** Minus the logarithm of a token's probability, in 64 bits. @param scores of the vocabulary */
function costOf(scores: Float32Array, token: number): number {
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
  return Math.log(sum) + largest - (scores[token] ?? Number.NaN);
}
