/** Logits of another program are scored by the same rule: position i's score token i + 1. */
import { scoreLogits } from "../score-logits.ts";
import { type Canary, largestDifference, shown } from "./canary.ts";
import { cycleRow, type OracleModel } from "./known-models.ts";

const inputLength = 5;
const predictLength = 6;

/** A logit with which nothing else is likely, as in `lossOf`. */
const certain = 50;

export const givenLogits: Canary<OracleModel> = {
  name: "given_logits",
  claim: "of given logits those from the input's last token on score the tokens behind the input",
  unit: "nats",
  limit: 1e-4, // float32 rounds a break of 50 nats to 4e-6
  shapes: "widest",
  examine: (oracle) => {
    const breaks = new Set([inputLength, inputLength + predictLength]);
    const tokens = cycleRow(oracle, inputLength + predictLength + 2, { breaks: (position) => breaks.has(position) });
    const { vocabularySize } = oracle.model.shape;
    const logits = new Float32Array(tokens.length * vocabularySize);
    for (const [position, token] of tokens.entries()) {
      logits[position * vocabularySize + successor(oracle, token)] = certain;
    }
    const row = { vocabularySize, tokens: Int32Array.from(tokens), logits, inputLength, predictLength };
    const [losses = new Float32Array()] = scoreLogits([row]);
    const known = [certain, ...Array(predictLength - 1).fill(0)]; // the first true token is the only one that breaks the cycle
    return {
      deviation: largestDifference(losses, known),
      evidence: `losses of ${Array.from(losses, shown).join(", ")} nats`,
    };
  },
};

function successor({ cycle }: OracleModel, token: number): number {
  return cycle[(cycle.indexOf(token) + 1) % cycle.length] ?? 0;
}
