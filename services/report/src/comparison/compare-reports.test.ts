/** What may be said of two experiments, and what may not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type DatasetReport,
  type Evaluation,
  IntervalSchema,
  Incomparable_Kind as Kind,
  MetricRow_Relation as Relation,
  type Report,
  Split,
} from "@pretrain/proto";
import { readHistory } from "../ledger/read-history.ts";
import { buildReport } from "../record/build-report.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { type RunShape, runShape } from "../test-support/run-shape.ts";
import { compareReports } from "./compare-reports.ts";

function recordOf(id: string, given: Partial<RunShape> = {}): Report {
  using ledger = ledgerOf(runEvents({ id, title: id, seed: 7, ...given }));
  const history = readHistory(ledger, id);
  assert.ok(history);
  return buildReport(history);
}

const baseline = recordOf("a");
const twin = recordOf("b", { seed: 8 });
const interval = (low: number, high: number) => create(IntervalSchema, { low, high, resamples: 1000, seed: 42 });
const against = (candidate: Report, paired?: Parameters<typeof compareReports>[2][number]) =>
  compareReports(baseline, [candidate], [paired]);

/** What is said of the candidate's value of a metric. */
function said(comparison: ReturnType<typeof against>, metric: string) {
  const value = comparison.metricRows.find((row) => row.metric === metric)?.values[1];
  assert.ok(value, metric);
  return value;
}

const withDataset = (report: Report, changes: Partial<DatasetReport>): Report => ({
  ...report,
  ...(report.dataset && { dataset: { ...report.dataset, ...changes } }),
});
const withEvaluations = (report: Report, changes: Partial<Evaluation>): Report => ({
  ...report,
  evaluations: report.evaluations.map((evaluation) => ({ ...evaluation, ...changes })),
});

test("the baseline comes first, and only what differs in the recipes is listed, with every value", () => {
  const recipe = runShape().recipe;
  assert.ok(recipe.training && recipe.intent);
  const changed = {
    ...recipe,
    intent: { ...recipe.intent, purpose: "another one" },
    training: { ...recipe.training, learningRate: 5e-4 },
  };
  const other = recordOf("c", { recipe: changed });
  const { experiments, recipeRows } = compareReports(baseline, [twin, other], [undefined, undefined]);
  assert.deepEqual(
    experiments.map(({ name }) => name),
    ["experiments/a", "experiments/b", "experiments/c"],
  );
  assert.deepEqual(
    recipeRows.map(({ field, values }) => [field, values]),
    [["training.learning_rate", ["0.001", "0.001", "0.0005"]]],
  );
});

test("an interval below 0 is better, above 0 worse, and one that holds 0 shows no difference", () => {
  for (const [low, high, relation] of [
    [-0.3, -0.1, Relation.BETTER],
    [0.1, 0.3, Relation.WORSE],
    [-0.1, 0.1, Relation.NO_DIFFERENCE_SHOWN],
    [-0.1, 0, Relation.NO_DIFFERENCE_SHOWN],
  ] as const) {
    const comparison = against(twin, { difference: (low + high) / 2, interval: interval(low, high) });
    assert.equal(said(comparison, "eval/loss").relation, relation);
    assert.equal(said(comparison, "eval/perplexity").relation, relation);
  }
});

test("two single numbers show a difference with its base, and nobody calls one of them better", () => {
  const { relation, difference, differencePercent, interval: none } = said(against(twin), "train/loss");
  const [before, after] = [baseline, twin].map(
    ({ indicators }) => indicators.find(({ metric }) => metric === "train/loss")?.final ?? Number.NaN,
  );
  assert.equal(relation, Relation.NO_INTERVAL);
  assert.equal(difference, (after ?? 0) - (before ?? 0));
  assert.equal(differencePercent, (100 * difference) / (before ?? 0));
  assert.equal(none, undefined);
  assert.equal(said(against(twin), "eval/loss").relation, Relation.NO_INTERVAL);
});

test("of a number below 0 the percentage has the sign of the difference: its base is the size of the baseline", () => {
  const metric = "train/loss_reduction";
  const withReduction = (report: Report, final: number): Report => ({
    ...report,
    indicators: report.indicators.map((row) => (row.metric === metric ? { ...row, final } : row)),
  });
  const comparison = compareReports(withReduction(baseline, -0.5), [withReduction(twin, -0.25)], [undefined]);
  const { difference, differencePercent } = said(comparison, metric);
  assert.deepEqual([difference, differencePercent], [0.25, 50]);
});

const otherTokenizer = withDataset(twin, { tokenizerSha256: "ff".repeat(32) });
const otherRows = withDataset(twin, {
  splits: (twin.dataset?.splits ?? []).map((split) =>
    split.split === Split.VALIDATION ? { ...split, paddedIdsSha256: "ee".repeat(32) } : split,
  ),
});
const otherText = withDataset(twin, {
  splits: (twin.dataset?.splits ?? []).map((split) =>
    split.split === Split.TRAIN ? { ...split, paddedIdsSha256: "dd".repeat(32) } : split,
  ),
});
const otherMachine: Report = {
  ...twin,
  ...(twin.environment && { environment: { ...twin.environment, device: "NVIDIA H100" } }),
};

/** Candidate, what may not be compared and why, and what still may. */
const pairs = [
  ["another tokenizer", otherTokenizer, ["train/loss", "eval/loss"], Kind.TOKENIZER, ["eval/bits_per_byte"]],
  ["other validation rows", otherRows, ["eval/loss", "eval/inference_loss"], Kind.VALIDATION_ROWS, ["train/loss"]],
  ["other training text", otherText, ["train/loss"], Kind.TRAINING_DATA, ["eval/loss", "eval/inference_loss"]],
  [
    "another rule of markers",
    withEvaluations(twin, { markerRule: "no_markers" }),
    ["eval/loss", "eval/inference_loss"],
    Kind.RULE,
    ["train/loss"],
  ],
  ["another context", withEvaluations(twin, { context: 64 }), ["eval/loss"], Kind.CONTEXT, ["train/loss"]],
  [
    "a text of other length, by which bits per byte would mean something else",
    withEvaluations(twin, { validationBytes: 5n }),
    ["eval/bits_per_byte"],
    Kind.VALIDATION_ROWS,
    ["eval/loss"],
  ],
  ["another machine", otherMachine, ["train/duration_seconds", "perf/tokens_per_second"], Kind.MACHINE, ["train/loss"]],
] as const;

for (const [what, candidate, refused, kind, allowed] of pairs) {
  test(`${what}: what means something else is refused with the reason, the rest is compared`, () => {
    const comparison = against(candidate, { difference: -1, interval: interval(-2, -0.5) });
    for (const metric of refused) {
      const { relation, difference, interval: none, reasons } = said(comparison, metric);
      assert.equal(relation, Relation.NOT_COMPARABLE, metric);
      assert.deepEqual([difference, none], [undefined, undefined], metric);
      assert.ok(
        reasons.some((reason) => reason.kind === kind && reason.baseline !== reason.candidate),
        metric,
      );
    }
    for (const metric of allowed) assert.notEqual(said(comparison, metric).relation, Relation.NOT_COMPARABLE, metric);
  });
}

test("without an evaluation that stands there is nothing to compare, and no sample", () => {
  const comparison = against({ ...twin, evaluations: [] });
  assert.ok(comparison.experiments[1]?.evaluationsIncomparable.some((reason) => reason.kind === Kind.NO_EVALUATION));
  assert.ok(comparison.sampleRows.every(({ samples }) => samples[1]?.predictedText === ""));
});

test("continuations of the same prompt stand next to each other", () => {
  const { sampleRows } = against(twin);
  assert.equal(sampleRows.length, 10);
  for (const { samples, rowId } of sampleRows)
    assert.deepEqual(
      samples.map((sample) => sample.rowId),
      [rowId, rowId],
    );
});
