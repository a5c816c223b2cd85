/** CompareExperiments as it is called: whom the evaluator is asked about, and what goes on without its answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument, NotFound, Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { ComparisonSchema, MetricRow_Relation as Relation } from "@pretrain/proto";
import { PairedDifferences } from "../comparison/paired-differences.ts";
import { CurrentReports } from "../reports/current-reports.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { runEvents } from "../test-support/run-events.ts";
import { compareExperiments } from "./compare-experiments.ts";

const ledger = ledgerOf(["a", "1-4-1"].flatMap((id, index) => runEvents({ id, title: id, seed: 7 + index })));
const reports = new CurrentReports(ledger, () => performance.now());
const found = create(ComparisonSchema, {
  difference: -0.2,
  interval: { low: -0.3, high: -0.1, resamples: 1000, seed: 42 },
});

/** An evaluator that answers as given, and what it was asked. */
function evaluatorThat(answer: () => Promise<typeof found>) {
  const asked: unknown[] = [];
  const compareEvaluations = (request: unknown) => {
    asked.push(request);
    return answer();
  };
  const paired = new PairedDifferences({ compareEvaluations }, createLog("test", "fatal"));
  const compare = (...ids: string[]) =>
    compareExperiments({ reports, paired })({ experiments: ids.map((id) => `experiments/${id}`) });
  return { compare, asked };
}

const lossRelation = async (comparing: ReturnType<ReturnType<typeof evaluatorThat>["compare"]>) =>
  (await comparing).metricRows.find(({ metric }) => metric === "eval/loss")?.values[1]?.relation;

test("the evaluations of the last checkpoints are compared row by row, each pair once", async () => {
  const { compare, asked } = evaluatorThat(async () => found);
  assert.equal(await lossRelation(compare("a", "1-4-1")), Relation.BETTER);
  await compare("a", "1-4-1");
  assert.deepEqual(asked, [{ baseline: "evaluations/a-120", candidate: "evaluations/1-4-1-120", listedRows: 1 }]);
});

test("an evaluator that is away costs the interval and not the comparison, and is asked again", async () => {
  let isAway = true;
  const { compare } = evaluatorThat(async () => {
    if (isAway) throw new Unavailable("AWAY", "nobody answers", {});
    return found;
  });
  assert.equal(await lossRelation(compare("a", "1-4-1")), Relation.NO_INTERVAL);
  isAway = false;
  assert.equal(await lossRelation(compare("a", "1-4-1")), Relation.BETTER);
});

test("where the evaluator says that there is nothing to compare, it is asked once", async () => {
  const { compare, asked } = evaluatorThat(async () => {
    throw new FailedPrecondition("NO_KEPT_LOSSES", "measured before losses were kept", {});
  });
  for (const _ of ["once", "twice"]) assert.equal(await lossRelation(compare("a", "1-4-1")), Relation.NO_INTERVAL);
  assert.equal(asked.length, 1);
});

test("an experiment that is there twice, in whatever spelling, or not at all is refused by its place", async () => {
  const { compare } = evaluatorThat(async () => found);
  const named = (error: unknown) => error instanceof InvalidArgument && error.violations[0]?.field === "experiments[2]";
  await assert.rejects(compare("a", "1-4-1", "1.4.1"), named);
  await assert.rejects(compare("a", "c"), NotFound);
});
