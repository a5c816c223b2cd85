/** `/api/experiments/{id}/curves`: what QueryMetrics answers, as columns in place of rows: a third of the bytes. */
import { InvalidArgument } from "@pretrain/errors";
import { experimentName } from "@pretrain/recipe";
import type { Bucket } from "../curves/thinning.ts";
import { bucketsOf, type CurveDependencies } from "../handlers/query-metrics.ts";

/** Of a chart nobody sees more of a value. */
const digits = 7;

/** @param experiment canonical id @returns JSON @throws as `bucketsOf` */
export async function curveColumns(
  dependencies: CurveDependencies,
  experiment: string,
  parameters: URLSearchParams,
): Promise<string> {
  const metrics = parameters.getAll("metric").slice(0, 32);
  const curves = await bucketsOf(dependencies, {
    experiment: experimentName(experiment),
    metrics,
    fromMicroStep: BigInt(countIn(parameters, "from")),
    toMicroStep: BigInt(countIn(parameters, "to")),
    maxPoints: Math.min(10_000, countIn(parameters, "points")),
    smoothing: smoothingIn(parameters),
  });
  return JSON.stringify(metrics.map((metric, index) => ({ metric, ...columnsOf(curves[index] ?? []) })));
}

function columnsOf(buckets: readonly Bucket[]) {
  const isSmoothed = buckets.some(({ smoothed }) => smoothed !== undefined);
  return {
    first: buckets.map(({ firstMicroStep }) => firstMicroStep),
    last: buckets.map(({ lastMicroStep }) => lastMicroStep),
    min: buckets.map(({ min }) => short(min)),
    mean: buckets.map(({ mean }) => short(mean)),
    max: buckets.map(({ max }) => short(max)),
    tokens: buckets.map(({ tokensSeen }) => tokensSeen),
    seconds: buckets.map(({ elapsedSeconds }) => Number(elapsedSeconds.toFixed(2))),
    ...(isSmoothed && { smoothed: buckets.map(({ smoothed }) => (smoothed === undefined ? null : short(smoothed))) }),
  };
}

function short(value: number): number {
  return Number(value.toPrecision(digits));
}

function countIn(parameters: URLSearchParams, name: string): number {
  const written = parameters.get(name) ?? "0";
  if (/^\d{1,15}$/.test(written)) return Number(written);
  throw new InvalidArgument([
    { field: name, description: `${JSON.stringify(written.slice(0, 40))} is no whole number` },
  ]);
}

function smoothingIn(parameters: URLSearchParams): number {
  const written = parameters.get("smoothing") ?? "0";
  if (/^0(\.\d{1,9})?$/.test(written)) return Number(written);
  const description = `${JSON.stringify(written.slice(0, 40))} is no number from 0 to below 1`;
  throw new InvalidArgument([{ field: "smoothing", description }]);
}
