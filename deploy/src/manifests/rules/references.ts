/** What is named is there: accounts, priorities, volumes, settings, and the pods of each service and budget. */
import {
  containersOf,
  type Manifest,
  ofKind,
  type Selector,
  selects,
  type Workload,
  workloadsOf,
} from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

/** Whoever installs makes these, and the certificates `<identity>-tls`. */
const providedSecrets = ["pretrain-s3", "pretrain-access"];

export const references: Rule = (manifests) => [
  ...workloadsOf(manifests).flatMap((workload) => podReferences(manifests, workload)),
  ...containersOf(manifests).flatMap(
    ({ of: { name, pod }, container: { env = [], envFrom = [], volumeMounts = [] } }) => [
      ...envFrom.flatMap(({ configMapRef }) => missing(manifests, name, "ConfigMap", configMapRef?.name)),
      ...env.flatMap(({ valueFrom }) => unknownSecret(name, valueFrom?.secretKeyRef?.name)),
      ...volumeMounts.flatMap((mount) => {
        const claimed = claimTemplates(manifests, name);
        const known = [...(pod.spec.volumes ?? []).map((volume) => volume.name), ...claimed];
        return when(!known.includes(mount.name), `${name} mounts ${mount.name}, which is no volume of it`);
      }),
    ],
  ),
  ...["Service", "PodDisruptionBudget"].flatMap((kind) =>
    ofKind(manifests, kind).flatMap((each) => pods(manifests, each)),
  ),
];

function podReferences(manifests: readonly Manifest[], { name, pod }: Workload): readonly string[] {
  const { serviceAccountName, priorityClassName, volumes = [] } = pod.spec;
  return [
    ...missing(manifests, name, "ServiceAccount", serviceAccountName ?? "(none)"),
    ...missing(manifests, name, "PriorityClass", priorityClassName),
    ...volumes.flatMap(({ secret, configMap, persistentVolumeClaim }) => [
      ...unknownSecret(name, secret?.secretName),
      ...missing(manifests, name, "ConfigMap", configMap?.name),
      ...missing(manifests, name, "PersistentVolumeClaim", persistentVolumeClaim?.claimName),
    ]),
  ];
}

function missing(manifests: readonly Manifest[], of: string, kind: string, name: string | undefined) {
  const found = ofKind(manifests, kind).some((manifest) => manifest.metadata.name === name);
  return when(name !== undefined && !found, `${of} names the ${kind} ${name}, which is not there`);
}

function unknownSecret(of: string, name: string | undefined): readonly string[] {
  const certificates = [`${of}-tls`, `${of}-worker-tls`];
  const isKnown = name === undefined || providedSecrets.includes(name) || certificates.includes(name);
  return when(!isKnown, `${of} names the secret ${name}, which nobody makes for it`);
}

function claimTemplates(manifests: readonly Manifest[], workload: string): readonly string[] {
  const spec = workloadsOf(manifests).find(({ name }) => name === workload)?.spec;
  const templates = (spec?.["volumeClaimTemplates"] ?? []) as readonly Manifest[];
  return templates.map(({ metadata: { name } }) => name);
}

/** A service's selector is the labels themselves, a budget's has `matchLabels`. */
function pods(manifests: readonly Manifest[], { kind, metadata: { name }, spec = {} }: Manifest): readonly string[] {
  const selector = (kind === "Service" ? { matchLabels: spec["selector"] } : spec["selector"]) as Selector;
  const found = workloadsOf(manifests).filter(({ pod }) => selects(selector, pod.metadata.labels));
  return when(found.length !== 1, `${kind} ${name} selects the pods of ${found.length} workloads; one is expected`);
}
