/**
 * The loss of a sample's true continuation is that of its own tokens: the slice of predictions that an experiment once got wrong. The
 * cycle is broken in four places, each with a cost of its own, so that the sum says which tokens are in it.
 *
 *     tokens         input … x | x  true  …  x | x  behind the sample
 *     counted                    y            y
 */
import { scoreSample } from "../score-sample.ts";
import { type Canary, shown } from "./canary.ts";
import { rowsOf } from "./exam-rows.ts";
import { cycleRow, knownLosses, type OracleModel } from "./known-models.ts";

const inputLength = 6;
const predictLength = 9;
const end = inputLength + predictLength;

export const continuationLoss: Canary<OracleModel> = {
  name: "continuation_loss",
  claim:
    "a sample's loss is that of its true continuation: the tokens behind the input, as many as asked for, none beside them",
  unit: "nats",
  limit: 1e-3,
  shapes: "widest",
  examine: async (oracle) => {
    const breaks = new Set([inputLength - 1, inputLength, end - 1, end]);
    const tokens = cycleRow(oracle, end + 3, { breaks: (position) => breaks.has(position) });
    const [row] = rowsOf([tokens]);
    if (row === undefined) throw new Error("there is no row");
    const { nats, tokens: counted } = await scoreSample(oracle.model, { row, inputLength, predictLength });
    const known = knownLosses(oracle, tokens)
      .slice(inputLength - 1, end - 1)
      .reduce((sum, loss) => sum + loss, 0);
    const evidence = `${counted} tokens cost ${shown(nats)} nats, ${predictLength} tokens and ${shown(known)} nats are known`;
    return { deviation: Math.max(Math.abs(nats - known), Math.abs(counted - predictLength)), evidence };
  },
};
