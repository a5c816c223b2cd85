/** QueryMetrics: curves in buckets. */
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type QueryMetricsRequest, type QueryMetricsResponse, QueryMetricsResponseSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { curvesOf } from "../curves/curves-of-experiments.ts";
import type { Bucket } from "../curves/thinning.ts";
import { isKnown } from "../ledger/is-known.ts";
import { type Dependencies, unknownExperiment } from "./dependencies.ts";

const defaultPoints = 1000;
/** Of one answer: about 4 MB, which a reader that does not read keeps in memory. */
const maximumBuckets = 50_000;

export type CurveDependencies = Pick<Dependencies, "ledger">;

export const queryMetrics =
  (dependencies: CurveDependencies) =>
  async (request: QueryMetricsRequest): Promise<QueryMetricsResponse> => {
    const curves = await bucketsOf(dependencies, request);
    const series = request.metrics.map((metric, index) => ({ metric, buckets: (curves[index] ?? []).map(toProto) }));
    return create(QueryMetricsResponseSchema, { series });
  };

/**
 * The page asks for its curves through this function too.
 * @returns the buckets of each metric, in their order
 * @throws InvalidArgument naming the field of the request, NotFound when the ledger holds nothing of the experiment
 */
export async function bucketsOf(
  { ledger }: CurveDependencies,
  request: Omit<QueryMetricsRequest, "$typeName">,
): Promise<Bucket[][]> {
  const experiment = idOfExperimentName(request.experiment, "experiment");
  const { metrics, smoothing } = request;
  const [from, to] = [Number(request.fromMicroStep), Number(request.toMicroStep)];
  if (to !== 0 && from > to) throw emptyRange(from, to);
  const points = request.maxPoints || defaultPoints;
  if (points * metrics.length > maximumBuckets) throw tooManyBuckets(metrics.length, points);
  if (!isKnown(ledger, experiment)) throw unknownExperiment(experiment);
  return curvesOf(ledger).read({ experiment, metrics, from, to, maximumBuckets: points, smoothing });
}

function emptyRange(from: number, to: number): InvalidArgument {
  return new InvalidArgument([
    { field: "to_micro_step", description: `is ${to}, before from_micro_step, which is ${from}` },
  ]);
}

function tooManyBuckets(curves: number, points: number): InvalidArgument {
  const description = `${points} buckets of ${curves} curves are ${points * curves}; at most ${maximumBuckets} fit one answer`;
  return new InvalidArgument([{ field: "max_points", description }]);
}

function toProto({ firstMicroStep, lastMicroStep, count, tokensSeen, ...values }: Bucket) {
  return {
    firstMicroStep: BigInt(firstMicroStep),
    lastMicroStep: BigInt(lastMicroStep),
    count: BigInt(count),
    tokensSeen: BigInt(tokensSeen),
    ...values,
  };
}
