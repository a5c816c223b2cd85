/** From losses of rows to the numbers that are shown, with rows of which everything is known: what each token costs, and the bytes. */
import { create } from "@bufbuild/protobuf";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import { measurement } from "../../evaluation/measurement.ts";
import { scoreRows } from "../score-rows.ts";
import { type Canary, largestDifference, shown } from "./canary.ts";
import { rowsOf } from "./exam-rows.ts";
import { knownLosses, type OracleModel } from "./known-models.ts";

export const measuredNumbers: Canary<OracleModel> = {
  name: "measured_numbers",
  claim: "loss, perplexity and bits per byte are sums over all tokens, divided once; markers cost, and have no bytes",
  unit: "nats per token",
  limit: 1e-4, // float32 rounds losses of 60 nats to 4e-6; a row left out, or a mean of means, costs 0.1
  shapes: "widest",
  examine: (oracle) => {
    const { cycle, text, model } = oracle;
    const [bos = 0, eos = 0] = [cycle[0], cycle.at(-1)];
    const words = cycle.slice(1, -1);
    const rows = [cycle, [bos, ...words.toReversed(), eos], [bos, eos]]; // of unlike lengths and losses
    const { validationLoss, perplexity, bitsPerByte } = measurement({
      settings: create(EvaluationSettingsSchema, { predictLength: 1 }),
      rows: scoreRows(model, rowsOf(rows), rows.length),
      samples: [],
      skippedRows: 0,
    });
    const losses = rows.map((row) => knownLosses(oracle, row));
    const mean = sum(losses.flat()) / losses.flat().length;
    const textLosses = rows.map((row, index) => (losses[index] ?? []).filter((_, target) => row[target + 1] !== eos));
    const bytes = 2 * Buffer.byteLength(text);
    const known = [mean, mean, sum(textLosses.flat()) / bytes];
    const found = [validationLoss?.natsPerToken, Math.log(perplexity ?? 0), (bitsPerByte ?? 0) * Math.LN2];
    const deviation = largestDifference(
      found.map((value) => value ?? Number.NaN),
      known,
    );
    const [perToken, , perByte] = found.map((value) => shown(value ?? Number.NaN));
    return { deviation, evidence: `${rows.length} rows: ${perToken} nats per token, ${perByte} per byte` };
  },
};

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
