/** QueryMetrics: curves in buckets. The page asks for its curves through this function too. */
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type QueryMetricsRequest, type QueryMetricsResponse, QueryMetricsResponseSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { readCurves } from "../curves/read-curves.ts";
import type { Bucket } from "../curves/thinning.ts";
import { isKnown } from "../ledger/is-known.ts";
import { type Dependencies, unknownExperiment } from "./dependencies.ts";

const defaultPoints = 1000;
/** Of one answer: about 3 MB, which a reader that does not read keeps in memory. */
const maximumBuckets = 50_000;

export const queryMetrics =
  ({ ledger }: Pick<Dependencies, "ledger">) =>
  (request: QueryMetricsRequest): QueryMetricsResponse => {
    const experiment = idOfExperimentName(request.experiment, "experiment");
    const [from, to] = [Number(request.fromMicroStep), Number(request.toMicroStep)];
    if (to !== 0 && from > to) throw emptyRange(from, to);
    const points = request.maxPoints || defaultPoints;
    if (points * request.metrics.length > maximumBuckets) throw tooManyBuckets(request.metrics.length, points);
    if (!isKnown(ledger, experiment)) throw unknownExperiment(experiment);
    const curves = readCurves(ledger, { experiment, metrics: request.metrics, from, to, maximumBuckets: points });
    const series = request.metrics.map((metric, index) => ({ metric, buckets: (curves[index] ?? []).map(toProto) }));
    return create(QueryMetricsResponseSchema, { series });
  };

function emptyRange(from: number, to: number): InvalidArgument {
  return new InvalidArgument([
    { field: "to_micro_step", description: `is ${to}, before from_micro_step, which is ${from}` },
  ]);
}

function tooManyBuckets(curves: number, points: number): InvalidArgument {
  const description = `${points} buckets of ${curves} curves are ${points * curves}; at most ${maximumBuckets} fit one answer`;
  return new InvalidArgument([{ field: "max_points", description }]);
}

function toProto({ firstMicroStep, lastMicroStep, count, ...values }: Bucket) {
  return {
    firstMicroStep: BigInt(firstMicroStep),
    lastMicroStep: BigInt(lastMicroStep),
    count: BigInt(count),
    ...values,
  };
}
