/** Nothing runs with more rights than it needs: what Pod Security calls `restricted`, a root file system that is not written to, and no token. */
import { type Container, containersOf, ofKind, type Workload, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

export const restricted: Rule = (manifests) => [
  ...ofKind(manifests, "Namespace").flatMap(({ metadata: { name, labels } }) =>
    when(
      labels?.["pod-security.kubernetes.io/enforce"] !== "restricted",
      `namespace ${name} does not enforce \`restricted\``,
    ),
  ),
  ...workloadsOf(manifests).flatMap(podFaults),
  ...containersOf(manifests).flatMap(({ of, container }) => containerFaults(of, container)),
];

function podFaults({ name, pod: { spec } }: Workload): readonly string[] {
  const { securityContext: security = {}, hostNetwork, hostPID, hostIPC, volumes = [] } = spec;
  const known = ["name", "secret", "configMap", "emptyDir", "persistentVolumeClaim"];
  return [
    ...when(security.runAsNonRoot !== true || security.runAsUser !== 65532, `${name} does not run as user 65532`),
    ...when(security.seccompProfile?.type !== "RuntimeDefault", `${name} has no seccomp profile`),
    ...when([hostNetwork, hostPID, hostIPC].includes(true), `${name} shares its node's network or processes`),
    ...when(spec.automountServiceAccountToken !== false, `${name} is given a token of Kubernetes`),
    ...when(spec.enableServiceLinks !== false, `${name} is told all services of the namespace`),
    ...volumes.flatMap((volume) =>
      when(
        !Object.keys(volume).every((key) => known.includes(key)),
        `${name} mounts ${volume.name}, of a forbidden kind`,
      ),
    ),
  ];
}

function containerFaults({ name }: Workload, container: Container): readonly string[] {
  const { privileged, allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } =
    container.securityContext ?? {};
  return [
    ...when(privileged === true || allowPrivilegeEscalation !== false, `${name} may gain privileges`),
    ...when(readOnlyRootFilesystem !== true, `${name} may write to its root file system`),
    ...when(
      capabilities?.drop?.join() !== "ALL" || (capabilities.add ?? []).length > 0,
      `${name} keeps capabilities of the kernel`,
    ),
  ];
}
