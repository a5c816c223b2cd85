/** Which kinds of resource a cluster knows, and which of them are ever applied from here. */
import type { Kubectl } from "../kubectl/index.ts";

export interface ClusterKind {
  /** As kubectl takes it: `scaledjobs.keda.sh`. */
  readonly resource: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Every kind that can be listed, in the version that the cluster prefers. */
export async function clusterKinds(kubectl: Kubectl): Promise<readonly ClusterKind[]> {
  const lines = await kubectl.run(["api-resources", "--verbs=list", "--no-headers"]);
  return lines.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/); // the second one, short names, is not always there
    const [apiVersion, namespaced, kind] = columns.slice(-3);
    const [name] = columns;
    if (name === undefined || apiVersion === undefined || kind === undefined) return [];
    const group = apiVersion.includes("/") ? `.${apiVersion.split("/", 1)[0]}` : "";
    return [{ resource: name + group, apiVersion, kind, namespaced: namespaced === "true" }];
  });
}

/**
 * All that an overlay of any version of this project may hold. What is not among them is not looked for when something is removed: a
 * cluster is large, and not everybody may list all of it.
 */
export const appliedKinds: ReadonlySet<string> = new Set(
  [
    ["Namespace", "ServiceAccount", "Service", "ConfigMap", "PersistentVolumeClaim", "Deployment", "StatefulSet"],
    ["PodDisruptionBudget", "NetworkPolicy", "PriorityClass", "HTTPRoute", "GRPCRoute", "BackendTLSPolicy"],
    ["ScaledJob", "ScaledObject", "TriggerAuthentication", "Certificate", "Issuer"],
    ["ServiceMonitor", "PodMonitor", "PrometheusRule"],
    ["LocalQueue", "ClusterQueue", "ResourceFlavor", "WorkloadPriorityClass"],
  ].flat(),
);
