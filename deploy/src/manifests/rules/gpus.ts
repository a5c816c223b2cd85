/** One GPU for each pod that computes on one, on the nodes that have them, and nobody else there. */
import { containersOf, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

const resource = "nvidia.com/gpu";

export const gpus: Rule = (manifests) => [
  ...containersOf(manifests).flatMap(({ of: { name, pod }, container }) => {
    const { requests = {}, limits = {} } = container.resources ?? {};
    const device = container.env?.find((variable) => variable.name === "PRETRAIN_TENSORFLOW")?.value ?? "cpu";
    const isOnGpu = limits[resource] !== undefined;
    if (!isOnGpu) return when(device === "gpu", `${name} is to compute on a GPU and asks for none`);
    const { nodeSelector = {}, tolerations = [] } = pod.spec;
    return [
      ...when(limits[resource] !== "1" || requests[resource] !== "1", `${name} asks for ${limits[resource]} GPUs`),
      ...when(device !== "gpu", `${name} holds a GPU and is not told to compute on it`),
      ...when(!container.image.includes("gpu-worker"), `${name} holds a GPU, and ${container.image} cannot use it`),
      ...when(nodeSelector[`${resource}.present`] !== "true", `${name} may wait on nodes without GPUs`),
      ...when(!tolerations.some(({ key }) => key === resource), `${name} is not let onto GPU nodes`),
      ...(container.env ?? []).flatMap((variable) =>
        when(variable.name === "NVIDIA_VISIBLE_DEVICES", `${name} takes GPUs past the device plugin`),
      ),
    ];
  }),
  ...workloadsOf(manifests).flatMap(({ name, pod }) =>
    when(
      (pod.spec.tolerations ?? []).some(({ key }) => key === undefined || key === resource) &&
        !pod.spec.containers.some(({ resources }) => resources?.limits?.[resource] !== undefined),
      `${name} needs no GPU and may take room on GPU nodes`,
    ),
  ),
];
