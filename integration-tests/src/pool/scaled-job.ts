/**
 * How many Jobs KEDA's ScaledJob makes at a look, with `strategy: default` and `multipleScalersCalculation: sum`. A lag counts what is in a
 * worker's hands, too, so the Jobs that run are taken off it.
 */
export interface ScaledJob {
  /** Each is a trigger. */
  readonly queues: readonly string[];
  /** Messages for one Job. */
  readonly lagThreshold: number;
  readonly maxReplicaCount: number;
}

/** @param lags of the queues, in their order   @param running Jobs that have not ended, whether their pods run or wait */
export function jobsToMake(
  lags: readonly number[],
  running: number,
  { lagThreshold, maxReplicaCount }: Omit<ScaledJob, "queues">,
): number {
  const wanted = lags.map((lag) => Math.min(maxReplicaCount, Math.ceil(lag / lagThreshold)));
  const most = Math.min(maxReplicaCount, sum(wanted));
  return Math.max(0, Math.min(sum(lags), most - running));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
