/** Two evaluations against each other: what is found, what is refused, and with which words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import type { KeptLosses, LossesOrigin, RowLosses } from "@pretrain/losses";
import { type Comparison, Comparison_Verdict as Verdict } from "@pretrain/proto";
import { comparison } from "./comparison.ts";

const origin: LossesOrigin = {
  datasetSha256: "da7a",
  tokenizerSha256: "70ce",
  checkpointSha256: "c0de",
  context: 64,
  stride: 64,
  markerRule: "bos_given_eos_scored",
};

const row = (
  rowId: number,
  nats: readonly number[],
  tokens = nats.map((_, index) => 10 * rowId + index),
): RowLosses => ({
  rowId,
  tokens: Int32Array.from(tokens),
  nats: Float32Array.from(nats),
  top1: new Uint8Array(nats.length),
});

/** Forty rows of two tokens and of eight; `gain` nats per token less than those of another call, and noise of a kind. */
const rows = (gain = 0, noise = 0): RowLosses[] =>
  Array.from({ length: 40 }, (_, index) => {
    const loss = 3 + Math.sin(index) - gain + noise * Math.sin(index * 78.233);
    return row(index, Array(index % 2 === 0 ? 2 : 8).fill(loss));
  });

const compare = (baseline: KeptLosses, candidate: KeptLosses, listedRows = 10): Promise<Comparison> =>
  comparison(
    { name: "evaluations/a", losses: baseline },
    { name: "evaluations/b", losses: candidate },
    { listedRows, textOf: async (tokens) => `text ${tokens[0]}`, turn: () => Promise.resolve() },
  );

const base: KeptLosses = { origin, rows: rows() };

const compared: readonly (readonly [claim: string, candidate: RowLosses[], verdict: Verdict])[] = [
  ["a candidate that is better in every row is better", rows(0.1), Verdict.CANDIDATE_BETTER],
  ["one that is worse in every row is worse", rows(-0.1), Verdict.BASELINE_BETTER],
  [
    "one that is better on the whole, by less than the rows disagree, shows no difference",
    rows(0.01, 0.5),
    Verdict.NO_DIFFERENCE_SHOWN,
  ],
  ["an evaluation and itself show no difference", rows(), Verdict.NO_DIFFERENCE_SHOWN],
];
for (const [claim, candidate, verdict] of compared) {
  test(claim, async () => {
    const found = await compare(base, { origin: { ...origin, checkpointSha256: "beef" }, rows: candidate });
    assert.equal(found.verdict, verdict);
    const { low = Number.NaN, high = Number.NaN } = found.interval ?? {};
    assert.ok(low <= found.difference && found.difference <= high, `${low} ${found.difference} ${high}`);
    assert.equal(low <= 0 && 0 <= high, verdict === Verdict.NO_DIFFERENCE_SHOWN);
  });
}

const other: Partial<LossesOrigin> = { context: 32, stride: 16, markerRule: "none" };
const refused: readonly (readonly [claim: string, candidate: KeptLosses, message: string])[] = [
  ["another dataset", { ...base, origin: { ...origin, datasetSha256: "feed" } }, "dataset: da7a and feed"],
  ["another tokenizer", { ...base, origin: { ...origin, tokenizerSha256: "feed" } }, "tokenizer: 70ce and feed"],
  ["another context", { ...base, origin: { ...origin, context: 32 } }, "context: 64 and 32"],
  ["another stride", { ...base, origin: { ...origin, stride: 32 } }, "stride: 64 and 32"],
  [
    "another rule of markers",
    { ...base, origin: { ...origin, markerRule: "none" } },
    "marker rule: bos_given_eos_scored and none",
  ],
  ["fewer rows", { ...base, rows: base.rows.slice(1) }, "rows: 40 and 39"],
  ["other rows", { ...base, rows: base.rows.with(7, row(70, Array(8).fill(1))) }, "rows: number 7 is row 7 and row 70"],
  ["another order of rows", { ...base, rows: base.rows.toReversed() }, "rows: number 0 is row 0 and row 39"],
  [
    "other tokens in a row",
    { ...base, rows: base.rows.with(7, row(7, Array(8).fill(1), Array(8).fill(1))) },
    "rows: the tokens of row 7",
  ],
  ["a longer row", { ...base, rows: base.rows.with(7, row(7, Array(9).fill(1))) }, "rows: the tokens of row 7"],
  [
    "whatever differs, all of it",
    { origin: { ...origin, ...other }, rows: [] },
    "context: 64 and 32; stride: 64 and 16; marker rule: bos_given_eos_scored and none; rows: 40 and 0",
  ],
];
for (const [claim, candidate, message] of refused) {
  test(`not compared: ${claim}`, async () => {
    await assert.rejects(compare(base, candidate), (error) => {
      assert.ok(error instanceof FailedPrecondition && error.reason === "NOT_COMPARABLE");
      assert.equal(error.message, `evaluations/a and evaluations/b differ in ${message}`);
      return true;
    });
  });
}

test("the difference is that of all nats by all tokens, not of rows: 8 nats less over 2 rows of 1 and 9 tokens are 0.8", async () => {
  const one: KeptLosses = { origin, rows: [row(0, [5]), row(1, Array(9).fill(1)), row(2, [])] };
  const two: KeptLosses = { origin, rows: [row(0, [6]), row(1, Array(9).fill(0)), row(2, [])] };
  const found = await compare(one, two);
  assertClose(found.difference, -0.8, 1e-12);
  assert.deepEqual([found.baselineLoss?.nats, found.candidateLoss?.nats, found.baselineLoss?.tokens], [14, 6, 10n]);
  assert.deepEqual(
    [found.candidateWins, found.baselineWins, found.ties],
    [1n, 1n, 0n],
    "a row without a target is none",
  );
});

test("rows are listed by their difference per token: the candidate's gains first, then its losses; ties are in neither", async () => {
  const one: KeptLosses = {
    origin,
    rows: [[2, 2], [2], [2, 2, 2], [2], [2], [2]].map((nats, index) => row(index, nats)),
  };
  const two: KeptLosses = {
    origin,
    rows: [[1, 2], [1], [1, 1, 1.5], [2], [3], [5]].map((nats, index) => row(index, nats)),
  };
  const found = await compare(one, two);
  assert.deepEqual(
    found.rows.map(({ rowId, text }) => [rowId, text]),
    [[1n, "text 10"], [2n, "text 20"], [0n, "text 0"], [5n, "text 50"], [4n, "text 40"]], // biome-ignore format: rows
  );
  assert.deepEqual([found.rows[1]?.baseline?.nats, found.rows[1]?.candidate?.nats], [6, 3.5]);
  assert.deepEqual([found.candidateWins, found.baselineWins, found.ties], [3n, 2n, 1n]);
  const short = await compare(one, two, 1);
  assert.deepEqual(
    short.rows.map(({ rowId }) => rowId),
    [1n, 5n],
  );
});

test("the same two evaluations have the same interval each time", async () => {
  const candidate = { origin, rows: rows(0.02, 0.3) };
  assert.deepEqual(await compare(base, candidate), await compare(base, candidate));
});

test("rows without a single target are not compared", async () => {
  const empty: KeptLosses = { origin, rows: [row(0, [])] };
  await assert.rejects(compare(empty, empty), /have no target in any row/);
});
