/** Everything has a limit: memory, scratch space, and how a pod is pinned to what it runs. */
import { containersOf, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

export const limits: Rule = (manifests) => [
  ...containersOf(manifests).flatMap(({ of: { name }, container: { resources, image } }) => [
    ...when(resources?.requests?.["cpu"] === undefined, `${name} asks for no processor`),
    ...when(resources?.requests?.["memory"] === undefined, `${name} asks for no memory`),
    ...when(resources?.limits?.["memory"] === undefined, `${name} has no limit of memory`),
    ...when(!isPinned(image), `${name} runs ${image}, which may be another image tomorrow`),
  ]),
  ...workloadsOf(manifests).flatMap(({ name, pod }) => [
    ...when(pod.spec.priorityClassName === undefined, `${name} has no priority`),
    ...(pod.spec.volumes ?? []).flatMap(({ name: volume, emptyDir }) =>
      when(emptyDir !== undefined && emptyDir.sizeLimit === undefined, `${name}'s volume ${volume} has no limit`),
    ),
  ]),
];

/** By its digest, or by a version with at least two numbers. */
function isPinned(image: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(image) || /:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/.test(image);
}
