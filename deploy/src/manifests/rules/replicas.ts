/** What there are several of survives the loss of one; what there is one of keeps nobody from emptying its node. */
import { type Manifest, ofKind, type Selector, selects, type Workload, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

export const replicas: Rule = (manifests) =>
  workloadsOf(manifests).flatMap((workload) => {
    if (workload.kind === "ScaledJob") return [];
    const budgets = budgetsOf(manifests, workload);
    const isReplicated = (workload.replicas ?? 1) > 1;
    const spread = workload.pod.spec.topologySpreadConstraints ?? [];
    const { name } = workload;
    return [
      ...when(workload.replicas === undefined, `nobody says how many of ${name} there are`),
      ...when(
        isReplicated && budgets.length !== 1,
        `${name} is replicated and has ${budgets.length} disruption budgets`,
      ),
      ...when(
        !isReplicated && budgets.length > 0,
        `${name} is alone, and its budget keeps its node from being emptied`,
      ),
      ...when(isReplicated && spread.length === 0, `${name} is replicated, and all of it may run on one node`),
      ...budgets.flatMap(({ spec = {} }) =>
        when(spec["maxUnavailable"] !== 1, `more than one of ${name} may be taken away, or none`),
      ),
    ];
  });

export function budgetsOf(manifests: readonly Manifest[], { pod }: Workload): readonly Manifest[] {
  return ofKind(manifests, "PodDisruptionBudget").filter(({ spec = {} }) =>
    selects(spec["selector"] as Selector, pod.metadata.labels),
  );
}
