/**
 * A model that knows the next token pays nothing along its cycle and a known sum for each break, of which no two are alike: so a row's
 * loss says which predictions were held against which tokens, how often, and in which row.
 */
import { scoreRows } from "../score-rows.ts";
import { type Canary, largestDifference, shapeName, shown } from "./canary.ts";
import { lengthsIn, rowsOf } from "./exam-rows.ts";
import { cycleRow, knownLosses, type OracleModel } from "./known-models.ts";

export const nextTokenOracle: Canary<OracleModel> = {
  name: "next_token_oracle",
  claim:
    "of a model that knows the next token each row costs what its closed form says, and each target is counted once",
  unit: "nats",
  limit: 0.01, // float32 rounds a break of 60 nats to 4e-6, and a long row has a hundred; the least mistake costs 0.1
  shapes: "each",
  examine: (oracle, shape) => {
    const rows = lengthsIn(shape).map((length, row) => brokenRow(oracle, length, row));
    const found = scoreRows(oracle.model, rowsOf(rows), shape.rows);
    const known = rows.map((row) => knownLosses(oracle, row).reduce((sum, loss) => sum + loss, 0));
    const deviation = Math.max(
      largestDifference(
        found.map(({ nats }) => nats),
        known,
      ),
      largestDifference(
        found.map(({ tokens }) => tokens),
        rows.map(({ length }) => length - 1),
      ),
    );
    const sums = [found.map(({ nats }) => nats), known].map((each) => shown(each.reduce((sum, nats) => sum + nats, 0)));
    return {
      deviation,
      evidence: `${shapeName(shape)}: ${rows.length} rows cost ${sums[0]} nats, ${sums[1]} are known`,
    };
  },
};

/** Every eleventh token breaks the cycle, in each row at other places of it, and the last token of the row too. */
function brokenRow(oracle: OracleModel, length: number, row: number): number[] {
  return cycleRow(oracle, length, {
    start: 1 + row,
    breaks: (position) => (position + row) % 11 === 0 || position === length - 1,
  });
}
