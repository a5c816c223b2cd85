/** What the rules read of a manifest. That it is well-formed is for schemas to say (`../definitions`); here it is taken for that. */
import { type Manifest as Parsed, parsedManifests } from "../overlays/manifests.ts";

export interface Manifest extends Parsed {
  /** Of a ConfigMap. */
  readonly data?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

/** What runs pods: a Deployment, a StatefulSet, or a ScaledJob, whose pods are those of its jobs. */
export interface Workload {
  readonly kind: "Deployment" | "StatefulSet" | "ScaledJob";
  readonly name: string;
  /** Undefined: others decide. */
  readonly replicas: number | undefined;
  readonly pod: Pod;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface Pod {
  readonly metadata: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly priorityClassName?: string;
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly { readonly key?: string; readonly effect?: string }[];
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
  readonly securityContext?: PodSecurity;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

interface PodSecurity {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly securityContext?: ContainerSecurity;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface ContainerSecurity {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: Named; readonly configMapKeyRef?: Named };
}

export interface Probe {
  readonly grpc?: { readonly port: number };
  readonly httpGet?: { readonly port: number };
}

interface Named {
  readonly name: string;
}

export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string };
  readonly configMap?: Named;
  readonly emptyDir?: { readonly sizeLimit?: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

/** @param yaml a stream of documents, as kustomize writes it */
export function readManifests(yaml: string): readonly Manifest[] {
  return parsedManifests(yaml);
}

export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return manifests.flatMap(({ kind, metadata: { name }, spec = {} }) => {
    if (kind !== "Deployment" && kind !== "StatefulSet" && kind !== "ScaledJob") return [];
    const holder = kind === "ScaledJob" ? (spec["jobTargetRef"] as Readonly<Record<string, unknown>>) : spec;
    return [{ kind, name, replicas: spec["replicas"] as number | undefined, pod: holder["template"] as Pod, spec }];
  });
}

/** Every container of every pod, with whose it is. */
export function containersOf(manifests: readonly Manifest[]): readonly { of: Workload; container: Container }[] {
  return workloadsOf(manifests).flatMap((of) =>
    [...of.pod.spec.containers, ...(of.pod.spec.initContainers ?? [])].map((container) => ({ of, container })),
  );
}

/** What a container's environment holds as plain text: its own variables, and those of ConfigMaps that it takes whole. */
export function plainEnvironment(manifests: readonly Manifest[], { env = [], envFrom = [] }: Container): Labels {
  const maps = ofKind(manifests, "ConfigMap");
  const taken = envFrom.map(({ configMapRef }) => maps.find(({ metadata }) => metadata.name === configMapRef?.name));
  const own = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
  return { ...Object.assign({}, ...taken.map((map) => map?.data ?? {})), ...Object.fromEntries(own) };
}

export interface Selector {
  readonly matchLabels?: Labels;
  /** `In` alone. */
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

/** An empty selector selects everything. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels = {}): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""))
  );
}
