/** A row that is longer than the context is scored in windows: each target once, by a window that holds what it is predicted from. */
import { type Canary, largestDifference, shown } from "./canary.ts";
import { cycleRow, knownLosses, type OracleModel } from "./known-models.ts";

export const rollingWindows: Canary<OracleModel> = {
  name: "rolling_windows",
  claim: "in rolling windows each target is scored once, in its place, behind the token that stands before it",
  unit: "nats",
  limit: 1e-3, // float32 rounds a break of 60 nats to 4e-6
  shapes: "widest",
  examine: (oracle) => {
    const row = cycleRow(oracle, 47, { breaks: (position) => position % 5 === 0 });
    const known = knownLosses(oracle, row);
    const window = { context: 16, stride: 7 };
    const [losses = new Float32Array()] = oracle.model.program.losses([row], undefined, window);
    const sum = losses.reduce((total, loss) => total + loss, 0);
    const evidence = `${losses.length} targets in windows of ${window.context}, ${window.stride} new ones in each: ${shown(sum)} nats`;
    return { deviation: largestDifference(losses, known), evidence };
  },
};
