/** Workers come and go by the queues that the code has, and nobody ends one that works. */
import { type StreamName, trainingWork, work } from "@pretrain/events";
import { type Manifest, ofKind, plainEnvironment, type Workload, workloadsOf } from "../manifest.ts";
import { budgetsOf } from "./replicas.ts";
import { type Rule, when } from "./rule.ts";

const stream: StreamName = "PRETRAIN_WORK";
const queues: Readonly<Record<string, readonly string[]>> = {
  "trainer-worker": trainingWork.map(({ queue }) => queue),
  "evaluator-worker": [work.evaluate.queue],
};
/** Of services/trainer/README.md: its device is not there. */
const deviceMissing = 75;

export const workers: Rule = (manifests) => {
  const scaled = workloadsOf(manifests).filter(({ kind }) => kind === "ScaledJob");
  return [
    ...scaled.flatMap((job) => [
      ...scaling(job),
      ...triggers(manifests, job),
      ...lifeOfAJob(job),
      ...undisturbed(manifests, job),
    ]),
    ...workloadsOf(manifests).flatMap((workload) => employers(manifests, workload, scaled.length > 0)),
  ];
};

function scaling({ name, spec, replicas }: Workload): readonly string[] {
  const strategy = (spec["scalingStrategy"] ?? {}) as Readonly<Record<string, unknown>>;
  const rollout = (spec["rollout"] ?? {}) as Readonly<Record<string, unknown>>;
  const several = (spec["triggers"] as readonly unknown[]).length > 1;
  return [
    ...when(replicas !== undefined, `${name} has replicas beside what KEDA decides`),
    ...when(spec["minReplicaCount"] !== 0, `${name} never goes back to none`),
    ...when(typeof spec["maxReplicaCount"] !== "number", `${name} has no limit`),
    ...when(strategy["strategy"] !== "default", `${name} counts pieces in work as work that waits`),
    ...when(several && strategy["multipleScalersCalculation"] !== "sum", `${name} does not add up its queues`),
    ...when(rollout["strategy"] !== "gradual", `a changed ${name} ends the jobs that run`),
  ];
}

interface Trigger {
  readonly type: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function triggers(manifests: readonly Manifest[], { name, spec }: Workload): readonly string[] {
  const all = spec["triggers"] as readonly Trigger[];
  const consumers = all.map(({ metadata }) => metadata["consumer"]);
  const configuration = ofKind(manifests, "ConfigMap").find(({ data = {} }) => "nats.conf" in data)?.data?.[
    "nats.conf"
  ];
  const broker = ofKind(manifests, "Service").find(({ metadata }) => metadata.name === "nats");
  const ports = (broker?.spec?.["ports"] ?? []) as readonly { readonly name: string; readonly port: number }[];
  const monitoring = ports.find((port) => port.name === "monitoring")?.port;
  return [
    ...when(
      consumers.join() !== queues[name]?.join(),
      `${name} looks at ${consumers.join()}; its queues are ${queues[name]?.join()}`,
    ),
    ...all.flatMap(({ type, metadata }) => [
      ...when(type !== "nats-jetstream", `${name} has a trigger of type ${type}`),
      ...when(metadata["stream"] !== stream, `${name} looks into ${metadata["stream"]}; work is in ${stream}`),
      ...when(metadata["lagThreshold"] !== "1", `${name} does not start a worker for each piece`),
      ...when(
        metadata["natsServerMonitoringEndpoint"] !== `nats.pretrain.svc:${monitoring}`,
        `${name} asks ${metadata["natsServerMonitoringEndpoint"]}, where no broker tells its queues`,
      ),
      ...when(
        !new RegExp(`^ *${metadata["account"]} \\{`, "m").test(configuration ?? ""),
        `${name} looks into account ${metadata["account"]}, which the broker does not have`,
      ),
    ]),
  ];
}

function lifeOfAJob({ name, spec, pod }: Workload): readonly string[] {
  const job = spec["jobTargetRef"] as Readonly<Record<string, unknown>>;
  const policy = (job["podFailurePolicy"] ?? {}) as { readonly rules?: readonly Readonly<Record<string, unknown>>[] };
  const ignored = JSON.stringify(policy.rules?.filter(({ action }) => action === "Ignore") ?? []);
  return [
    ...when("activeDeadlineSeconds" in job, `${name} is ended after ${String(job["activeDeadlineSeconds"])} s of work`),
    ...when(job["podReplacementPolicy"] !== "Failed", `${name} is replaced while it still holds its device`),
    ...when(pod.spec.restartPolicy !== "Never", `${name} is started again in its pod`),
    ...when(typeof job["backoffLimit"] !== "number", `${name} may fail without end`),
    ...when(!ignored.includes('"DisruptionTarget"'), `a node that goes counts as a failure of ${name}`),
    ...when(!ignored.includes(`[${deviceMissing}]`), `a node without its device counts as a failure of ${name}`),
  ];
}

function undisturbed(manifests: readonly Manifest[], job: Workload): readonly string[] {
  const { annotations = {} } = job.pod.metadata;
  const [container] = job.pod.spec.containers;
  const told = container === undefined ? {} : plainEnvironment(manifests, container);
  const { name } = job;
  return [
    ...when(annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] !== "false", `an autoscaler may end ${name}`),
    ...when(annotations["karpenter.sh/do-not-disrupt"] !== "true", `Karpenter may end ${name}`),
    ...when(budgetsOf(manifests, job)[0]?.spec?.["maxUnavailable"] !== 0, `${name} may be evicted`),
    ...when(told["PRETRAIN_WORKER_IDLE_MS"] !== "0", `${name} holds its device while there is no work`),
    ...when(
      name === "trainer-worker" && told["PRETRAIN_STATE_KEPT"] !== "no",
      `${name} believes that its folder outlives its pod`,
    ),
  ];
}

/** Whoever has workers is told whether to start them. */
function employers(manifests: readonly Manifest[], { name, pod }: Workload, areScaled: boolean): readonly string[] {
  if (name !== "trainer" && name !== "evaluator") return [];
  const [container] = pod.spec.containers;
  const told = container === undefined ? {} : plainEnvironment(manifests, container);
  const wanted = areScaled ? "elsewhere" : "own";
  return when(told["PRETRAIN_WORKERS"] !== wanted, `${name} is not told that its workers are started: ${wanted}`);
}
