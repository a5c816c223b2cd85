/** What is counted rather than added: an oracle is certain of every token, and right about those that follow the cycle. */
import { type Canary, largestDifference, shown } from "./canary.ts";
import type { OracleModel } from "./known-models.ts";
import { measured, rowsAround } from "./measured-numbers.ts";

export const measuredShares: Canary<OracleModel> = {
  name: "measured_shares",
  claim: "accuracy, calibration and losses by position count each target once, with its own prediction",
  unit: "ratio",
  limit: 1e-5, // float32 holds a probability of 1 to 1e-7; one target of 60 too many is 0.01
  shapes: "widest",
  examine: (oracle) => {
    const { top1Accuracy, calibration, lossByPosition, validationLoss } = measured(oracle);
    const rows = rowsAround(oracle);
    const targets = rows.reduce((count, row) => count + row.length - 1, 0);
    const right = oracle.cycle.length - 1; // the whole first row, and nothing of the others
    const known = [right / targets, (targets - right) / targets, 1, 1];
    const inBuckets = (part: "nats" | "tokens") =>
      lossByPosition.reduce((sum, { loss }) => sum + Number(loss?.[part]), 0);
    const found = [
      top1Accuracy ?? Number.NaN,
      calibration?.expectedError ?? Number.NaN, // certainty less accuracy
      inBuckets("tokens") / targets,
      inBuckets("nats") / (validationLoss?.nats ?? Number.NaN),
    ];
    const evidence = `${right} of ${targets} targets follow the cycle: accuracy ${shown(found[0] ?? Number.NaN)}, calibration error ${shown(found[1] ?? Number.NaN)}`;
    return { deviation: largestDifference(found, known), evidence };
  },
};
