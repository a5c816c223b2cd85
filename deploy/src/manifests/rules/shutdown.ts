/** Nobody is killed while it still puts things in order: a pod's grace period is longer than all that its program may take to end. */
import { unaryPatienceMs } from "@pretrain/rpc";
import { plainEnvironment, type Workload, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

/** For what a busy machine adds, and for closing files and connections. */
const marginSeconds = 15;
/** What a trainer may take by default (services/trainer/src/config.ts), and an evaluator's worker (its service's main.ts). */
const workerGraceSeconds = { trainer: 20, "trainer-worker": 20, evaluator: 10, "evaluator-worker": 10 };

export const shutdown: Rule = (manifests) =>
  workloadsOf(manifests).flatMap((workload) => {
    const [container] = workload.pod.spec.containers;
    const told = container === undefined ? {} : plainEnvironment(manifests, container);
    const grace = workload.pod.spec.terminationGracePeriodSeconds ?? 30; // what Kubernetes gives if nobody says
    const needed = secondsToEnd(workload, told) + marginSeconds;
    const { name } = workload;
    const isService = told["PRETRAIN_GRPC_ADDRESS"] !== undefined;
    return [
      ...when(grace < needed, `${name} is killed after ${grace} s and may need ${needed}`),
      ...when(
        isService && container?.lifecycle?.preStop?.sleep === undefined,
        `${name} drains while connections are still sent to it`,
      ),
    ];
  });

/** One after the other: it serves on, then answers calls in flight, then ends its worker. */
function secondsToEnd({ name, pod }: Workload, told: Readonly<Record<string, string>>): number {
  const sleeps = pod.spec.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const drains = told["PRETRAIN_GRPC_ADDRESS"] === undefined ? 0 : unaryPatienceMs / 1000;
  const employs = told["PRETRAIN_WORKERS"] === "own" || name.endsWith("-worker");
  const usual = Object.entries(workerGraceSeconds).find(([key]) => key === name)?.[1] ?? 0;
  const given = told["PRETRAIN_GRACE_MS"];
  return sleeps + drains + (employs ? (given === undefined ? usual : Number(given) / 1000) : 0);
}
