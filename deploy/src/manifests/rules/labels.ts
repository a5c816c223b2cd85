/** Everything of the installation can be found by its labels, and lives in its namespace. */
import { type Manifest, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

const ofTheCluster = ["Namespace", "PriorityClass", "ResourceFlavor", "ClusterQueue", "WorkloadPriorityClass"];

export const labels: Rule = (manifests) => [
  ...manifests.flatMap(({ kind, metadata: { name, namespace, labels: own = {} } }) => [
    ...when(
      own["app.kubernetes.io/part-of"] !== "pretrain" || own["app.kubernetes.io/instance"] === undefined,
      `${kind} ${name} is not labelled as a part of pretrain`,
    ),
    ...when(
      namespace !== (ofTheCluster.includes(kind) ? undefined : "pretrain"),
      `${kind} ${name} is in namespace ${namespace}`,
    ),
  ]),
  ...workloadsOf(manifests).flatMap((workload) => workloadFaults(workload.name, workload.pod.metadata.labels)),
];

function workloadFaults(name: string, own: Manifest["metadata"]["labels"] = {}): readonly string[] {
  return ["name", "instance", "version", "component", "part-of"].flatMap((key) =>
    when(own[`app.kubernetes.io/${key}`] === undefined, `pods of ${name} have no label app.kubernetes.io/${key}`),
  );
}
