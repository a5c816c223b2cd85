/** bos opens whatever is scored and whatever is continued; it is never a target, and eos is one like any other token. */
import { scoreRows } from "../score-rows.ts";
import { scoreText } from "../score-text.ts";
import { type Canary, largestDifference } from "./canary.ts";
import { rowsOf } from "./exam-rows.ts";
import type { OracleModel } from "./known-models.ts";

export const markers: Canary<OracleModel> = {
  name: "markers",
  claim: "bos opens what is scored and is no target, every token behind it is one, eos too; no text is cut",
  unit: "nats",
  limit: 0.01, // along the cycle a token costs 0; without bos the first one has nothing to be predicted from, or costs 40
  shapes: "widest",
  examine: (oracle) => {
    const { model, cycle, text } = oracle;
    const whole = { text, context: 0, stride: 0 };
    const scored = [false, true].map((eos) => scoreText(model, { ...whole, eos }).tokens);
    const [row] = scoreRows(model, rowsOf([cycle]), 1);
    const counts = [...scored.map(({ length }) => length), row?.tokens ?? 0];
    const tokens = scored.map((each) => each.map(({ token }) => token).join(" "));
    const due = [cycle.slice(1, -1), cycle.slice(1)].map((each) => each.join(" "));
    const losses = [...scored.flat().map(({ nats }) => nats), row?.nats ?? Number.NaN];
    const deviation = Math.max(
      ...tokens.map((each, index) => (each === due[index] ? 0 : Number.POSITIVE_INFINITY)),
      largestDifference(counts, [cycle.length - 2, cycle.length - 1, cycle.length - 1]),
      largestDifference(
        losses,
        losses.map(() => 0),
      ),
    );
    return {
      deviation,
      evidence: `a text, the text with eos, and a row of it have ${counts.join(", ")} targets behind bos`,
    };
  },
};
