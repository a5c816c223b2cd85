/** From losses of rows to the numbers that are shown, with rows of which everything is known: what each token costs, and the bytes. */
import { create } from "@bufbuild/protobuf";
import { EvaluationSettingsSchema } from "@pretrain/proto";
import { type Measurement, measurement } from "../../evaluation/measurement.ts";
import { scoreRows } from "../score-rows.ts";
import { type Canary, largestDifference, shown } from "./canary.ts";
import { rowsOf } from "./exam-rows.ts";
import { knownLosses, type OracleModel } from "./known-models.ts";

export const measuredNumbers: Canary<OracleModel> = {
  name: "measured_numbers",
  claim:
    "loss, perplexity, bits per byte and per character are sums over all tokens, divided once; markers cost, and are no text",
  unit: "nats per token",
  limit: 1e-4, // float32 rounds losses of 60 nats to 4e-6; a row left out, or a mean of means, costs 0.1
  shapes: "widest",
  examine: (oracle) => {
    const { validationLoss, perplexity, bitsPerByte, bitsPerCharacter } = measured(oracle);
    const rows = rowsAround(oracle);
    const losses = rows.map((row) => knownLosses(oracle, row));
    const mean = sum(losses.flat()) / losses.flat().length;
    const eos = oracle.cycle.at(-1);
    const ofText = sum(
      rows.flatMap((row, index) => (losses[index] ?? []).filter((_, target) => row[target + 1] !== eos)),
    );
    const [bytes, characters] = [Buffer.byteLength(oracle.text), Array.from(oracle.text).length]; // in each of two rows
    const known = [mean, mean, ofText / (2 * bytes), ofText / (2 * characters)];
    const bits = [bitsPerByte, bitsPerCharacter].map((value) => (value ?? Number.NaN) * Math.LN2);
    const found = [validationLoss?.natsPerToken ?? Number.NaN, Math.log(perplexity ?? Number.NaN), ...bits];
    const [perToken, , perByte, perCharacter] = found.map(shown);
    const evidence = `${rows.length} rows: ${perToken} nats per token, ${perByte} per byte, ${perCharacter} per character`;
    return { deviation: largestDifference(found, known), evidence };
  },
};

/** Of unlike lengths and losses: the cycle, with its text backwards, and two markers alone. */
export function rowsAround({ cycle }: OracleModel): number[][] {
  const [bos = 0, eos = 0] = [cycle[0], cycle.at(-1)];
  return [[...cycle], [bos, ...cycle.slice(1, -1).toReversed(), eos], [bos, eos]];
}

/** What an evaluation would show of those rows. */
export function measured(oracle: OracleModel): Measurement {
  const settings = create(EvaluationSettingsSchema, { predictLength: 1 });
  const rows = scoreRows(oracle.model, rowsOf(rowsAround(oracle)), 4);
  return measurement({ settings, rows, samples: [], skippedRows: 0 });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
