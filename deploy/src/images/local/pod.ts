/**
 * What a manifest says of a pod, as far as one machine can obey it. A field that is neither obeyed nor listed as without meaning here is
 * refused: a securityContext that a typo or a new version of Kubernetes makes of no effect must not look as if it had been proved.
 */
import { FailedPrecondition } from "@pretrain/errors";
import type { Manifest } from "../../overlays/manifests.ts";

export interface Pod {
  /** Of the pod that the workload would have first. */
  readonly name: string;
  readonly workload: string;
  readonly spec: LocalPodSpec;
}

export interface LocalPodSpec {
  readonly containers: readonly LocalContainer[];
  readonly securityContext: PodSecurity;
  readonly terminationGracePeriodSeconds: number;
  readonly volumes?: readonly LocalVolume[];
}

interface PodSecurity {
  readonly runAsNonRoot: boolean;
  readonly runAsUser: number;
  readonly runAsGroup: number;
  readonly fsGroup: number;
  readonly seccompProfile: { readonly type: string };
}

export interface LocalContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly startupProbe?: Probe;
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
}

export interface Probe {
  readonly grpc?: { readonly port: number };
  readonly httpGet?: { readonly path: string; readonly port: number; readonly scheme?: string };
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface LocalVolume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly secret?: { readonly secretName: string };
  readonly configMap?: { readonly name: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

const known = {
  spec: ["containers", "securityContext", "terminationGracePeriodSeconds", "volumes"],
  // Of scheduling, of what asks Kubernetes for something, and of what other pods would be.
  specElsewhere: [
    "automountServiceAccountToken",
    "enableServiceLinks",
    "priorityClassName",
    "serviceAccountName",
    "topologySpreadConstraints",
    "affinity",
  ],
  podSecurity: ["runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"],
  podSecurityElsewhere: ["fsGroupChangePolicy"], // every volume is new here
  container: [
    "name",
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "volumeMounts",
    "resources",
    "startupProbe",
    "securityContext",
  ],
  // A probe that fails later would restart the container; nobody is routed to it, so it need not wait before it ends.
  containerElsewhere: ["ports", "readinessProbe", "livenessProbe", "lifecycle"],
  containerSecurity: ["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"],
  containerSecurityElsewhere: [],
} as const;

/** @throws FailedPrecondition for a field that is neither obeyed here nor without meaning here */
export function podOf({ kind, metadata, spec: workload }: Manifest): Pod | undefined {
  const template = workload?.["template"] as { readonly spec: LocalPodSpec } | undefined;
  if (template === undefined || !["Deployment", "StatefulSet"].includes(kind)) return undefined;
  const { spec } = template;
  const where = `${kind} ${metadata.name}`;
  expectKnown(where, spec, known.spec, known.specElsewhere);
  expectKnown(`${where}: securityContext`, spec.securityContext, known.podSecurity, known.podSecurityElsewhere);
  for (const each of spec.containers) {
    const place = `${where}: container ${each.name}`;
    expectKnown(place, each, known.container, known.containerElsewhere);
    expectKnown(
      `${place}: securityContext`,
      each.securityContext,
      known.containerSecurity,
      known.containerSecurityElsewhere,
    );
  }
  const claims = (workload?.["volumeClaimTemplates"] ?? []) as readonly {
    readonly metadata: { readonly name: string };
  }[];
  const name = `${metadata.name}-0`;
  const claimed = claims.map(({ metadata: { name: claim } }): LocalVolume => {
    return { name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}` } };
  });
  return { name, workload: metadata.name, spec: { ...spec, volumes: [...(spec.volumes ?? []), ...claimed] } };
}

function expectKnown(where: string, found: object, obeyed: readonly string[], elsewhere: readonly string[]): void {
  const unknown = Object.keys(found).filter((field) => !obeyed.includes(field) && !elsewhere.includes(field));
  if (unknown.length === 0) return;
  const message = `${where}: nobody obeys ${unknown.join(", ")} here; obey it, or list it as without meaning on one machine`;
  throw new FailedPrecondition("FIELD_NOT_OBEYED", message, { fields: unknown.join(", ") });
}
