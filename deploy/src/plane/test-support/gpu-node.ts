/** A node with GPUs as an API server sees one, and what its kubelet would tell of pods: there is neither, and tests speak for both. */
import type { Kubectl } from "../../kubectl/index.ts";
import { type Manifest, writtenManifests } from "../../overlays/manifests.ts";

interface GpuNode {
  readonly name: string;
  readonly gpus: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Ready, with room for much besides, and tainted as GPU pools are. */
export async function addGpuNode(kubectl: Kubectl, { name, gpus, labels }: GpuNode): Promise<void> {
  const taints = [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }];
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { taints } };
  await kubectl.run(["create", "-f", "-"], writtenManifests([node]));
  const room = { cpu: "64", memory: "256Gi", pods: "110", "nvidia.com/gpu": String(gpus) };
  const status = { capacity: room, allocatable: room, conditions: [{ type: "Ready", status: "True" }] };
  await kubectl.run(["patch", "node", name, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
  await kubectl.run(["taint", "node", name, "node.kubernetes.io/not-ready-"]); // the API server's own, until a kubelet speaks
}

export interface Pod extends Manifest {
  readonly metadata: Manifest["metadata"] & {
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** @param selector of labels: `app.kubernetes.io/name=trainer-worker` */
export async function podsOf(kubectl: Kubectl, namespace: string, selector: string): Promise<readonly Pod[]> {
  const printed = await kubectl.run(["get", "pods", "-n", namespace, "-l", selector, "-o", "json"]);
  return (JSON.parse(printed) as { items: readonly Pod[] }).items;
}

/** As a kubelet does when the containers run. */
export function tellRunning(kubectl: Kubectl, pod: Pod): Promise<string> {
  return tell(kubectl, pod, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
}

/** As a kubelet does when the container has ended. @param conditions besides, `DisruptionTarget` for one */
export function tellFailed(
  kubectl: Kubectl,
  pod: Pod,
  exitCode: number,
  conditions: readonly string[] = [],
): Promise<string> {
  const [container] = pod.spec.containers;
  const terminated = { exitCode, reason: "Error" };
  return tell(kubectl, pod, {
    phase: "Failed",
    conditions: conditions.map((type) => ({ type, status: "True" })),
    containerStatuses: [{ ...container, imageID: "", ready: false, restartCount: 0, state: { terminated } }],
  });
}

function tell(kubectl: Kubectl, { metadata }: Pod, status: unknown): Promise<string> {
  const patch = ["patch", "pod", metadata.name, "-n", metadata.namespace ?? "", "--subresource=status"];
  return kubectl.run([...patch, "--type=strategic", "-p", JSON.stringify({ status })]);
}

/** As a kubelet does in the end: nothing of the pod is left on its node. */
export function forget(kubectl: Kubectl, { metadata }: Pod): Promise<string> {
  return kubectl.run([
    "delete",
    "pod",
    metadata.name,
    "-n",
    metadata.namespace ?? "",
    "--force",
    "--grace-period=0",
    "--wait=false",
  ]);
}
