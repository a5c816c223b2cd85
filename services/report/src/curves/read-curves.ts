/** Curves out of the ledger. All curves over steps that are asked for together are read in one pass. */
import type { StatementSync } from "node:sqlite";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import type { MemorySample } from "@pretrain/proto";
import { acceptedSteps } from "../ledger/accepted-steps.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readEvents, readResumptions } from "../ledger/read-history.ts";
import { acceptedItems } from "../record/accepted.ts";
import { evaluatedCheckpoints } from "../record/checkpoint-evaluations.ts";
import { evaluationNumbers } from "../record/evaluation-numbers.ts";
import { knownEvaluations } from "../record/known-evaluations.ts";
import { type Curve, curves } from "./curves.ts";
import { type Bucket, type Cut, cut, Thinner } from "./thinning.ts";

export interface CurveQuestion {
  /** Canonical id. */
  readonly experiment: string;
  readonly metrics: readonly string[];
  /** First micro-step; 0: from the beginning. */
  readonly from: number;
  /** Last micro-step; 0: to the end. */
  readonly to: number;
  /** Buckets per curve at most. */
  readonly maximumBuckets: number;
}

/** @returns the buckets of each curve, in the order asked. @throws InvalidArgument for a name that is no curve */
export function readCurves(ledger: Ledger, question: CurveQuestion): Bucket[][] {
  const wanted = question.metrics.map(curveNamed);
  const range = rangeOf(ledger, question);
  const thinners = wanted.map(() => new Thinner(range));
  readStepCurves(ledger, question.experiment, range, wanted, thinners);
  readMemoryCurves(ledger, question.experiment, wanted, thinners);
  readEvaluationCurves(ledger, question.experiment, wanted, thinners);
  return thinners.map((thinner, index) => thinner.buckets(shownOf(wanted[index])));
}

function curveNamed(name: string, index: number): Curve {
  const curve = Object.hasOwn(curves, name) ? curves[name] : undefined;
  if (curve !== undefined) return curve;
  const known = Object.keys(curves).join(", ");
  const violation: Violation = {
    field: `metrics[${index}]`,
    description: `${JSON.stringify(name.slice(0, 64))} is no curve; curves are ${known}`,
  };
  throw new InvalidArgument([violation]);
}

function shownOf(curve: Curve | undefined): ((quotient: number) => number) | undefined {
  return curve?.of === "step" ? curve.shown : undefined;
}

function rangeOf({ database }: Ledger, { experiment, from, to, maximumBuckets }: CurveQuestion): Cut {
  const row = database.prepare("SELECT MAX(micro_step) AS last FROM steps WHERE experiment = ?").get(experiment);
  const last = Number(row?.["last"] ?? 0);
  return cut(Math.max(1, from), to === 0 ? last : Math.min(to, last), maximumBuckets);
}

function readStepCurves(
  ledger: Ledger,
  experiment: string,
  { from, to }: Cut,
  wanted: readonly Curve[],
  thinners: readonly Thinner[],
): void {
  const columns = wanted.flatMap((curve, index) =>
    curve.of === "step" ? [{ sql: `${curve.numerator}, ${curve.denominator}`, thinner: thinners[index] }] : [],
  );
  if (columns.length === 0) return;
  const statement = ledger.database.prepare(acceptedSteps(columns.map(({ sql }) => sql).join(", ")));
  for (const row of rowsOf(statement, { experiment, from, to })) {
    columns.forEach(({ thinner }, index) => {
      const [numerator, denominator] = [row[2 + 2 * index], row[3 + 2 * index]];
      if (numerator != null && denominator != null)
        thinner?.add(Number(row[0]), Number(numerator), Number(denominator));
    });
  }
}

/** Rows as arrays: an object per row costs twice the time of the whole query. */
function* rowsOf(statement: StatementSync, parameters: Record<string, string | number>): Generator<readonly unknown[]> {
  statement.setReturnArrays(true);
  for (const row of statement.iterate(parameters)) if (Array.isArray(row)) yield row;
}

function readMemoryCurves(
  ledger: Ledger,
  experiment: string,
  wanted: readonly Curve[],
  thinners: readonly Thinner[],
): void {
  if (!wanted.some((curve) => curve.of === "memory")) return;
  const samples = acceptedItems(readEvents(ledger, experiment, "memory"), placeOf, readResumptions(ledger, experiment));
  for (const sample of samples) {
    wanted.forEach((curve, index) => {
      if (curve.of === "memory") thinners[index]?.add(Number(sample.microStep), Number(curve.value(sample)), 1);
    });
  }
}

function placeOf({ attempt, microStep }: MemorySample) {
  return { attempt, microStep: Number(microStep) };
}

function readEvaluationCurves(
  ledger: Ledger,
  experiment: string,
  wanted: readonly Curve[],
  thinners: readonly Thinner[],
): void {
  if (!wanted.some((curve) => curve.of === "evaluation")) return;
  for (const { checkpoint, evaluation } of readEvaluatedCheckpoints(ledger, experiment)) {
    const numbers = evaluationNumbers(evaluation);
    wanted.forEach((curve, index) => {
      const value = curve.of === "evaluation" ? numbers[curve.value] : undefined;
      if (value !== undefined) thinners[index]?.add(Number(checkpoint.microStep), value, 1);
    });
  }
}

function readEvaluatedCheckpoints(ledger: Ledger, experiment: string) {
  const evaluations = knownEvaluations(readEvents(ledger, experiment, "evaluation"));
  const plan = readEvents(ledger, experiment, "state")[0]?.recipe?.evaluation;
  return evaluatedCheckpoints(
    readEvents(ledger, experiment, "checkpoint"),
    readResumptions(ledger, experiment),
    evaluations,
    plan,
  );
}
