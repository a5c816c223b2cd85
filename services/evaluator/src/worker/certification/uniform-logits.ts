/** A model that knows nothing pays ln V for every token, and its perplexity is V: whatever else is added or left out shows. */
import { perplexity, totalLoss, uniformNatsPerToken } from "@pretrain/measures";
import type { LoadedModel } from "../load-model.ts";
import { scoreRows } from "../score-rows.ts";
import { type Canary, largestDifference, shapeName, shown } from "./canary.ts";
import { lengthsIn, rowsOf, textRows } from "./exam-rows.ts";

export const uniformLogits: Canary<LoadedModel> = {
  name: "uniform_logits",
  claim: "where all scores are equal every token costs ln V, and perplexity is V",
  unit: "nats per token",
  limit: 1e-5, // float32 rounds ln V, 9 to 12, to 1e-6
  shapes: "widest",
  examine: (model, shape) => {
    const rows = rowsOf(textRows(model.tokenizer, lengthsIn(shape)));
    const losses = scoreRows(model, rows, shape.rows);
    const known = uniformNatsPerToken(model.shape.vocabularySize);
    const means = [...losses.map(({ nats, tokens }) => nats / tokens), Math.log(perplexity(totalLoss(losses)) ?? 0)];
    const deviation = largestDifference(means, Array(rows.length + 1).fill(known));
    return {
      deviation,
      evidence: `${shapeName(shape)}: ${shown(means.at(-1) ?? 0)} nats per token, ln V is ${shown(known)}`,
    };
  },
};
