/** Pods and jobs as an overlay leads to them, to be handed to an API server by themselves. */
import assert from "node:assert/strict";
import { type Manifest, type PodSpec, podTemplateOf } from "../../overlays/manifests.ts";

interface PodManifest extends Manifest {
  readonly spec: Readonly<Record<string, unknown>> &
    PodSpec & { readonly nodeSelector?: Readonly<Record<string, string>> };
}

/** The pod of every manifest that leads to one. A StatefulSet adds volumes to its own. */
export function podsFrom(manifests: readonly Manifest[], namespace: string): readonly Manifest[] {
  return manifests.flatMap((manifest) => {
    const template = podTemplateOf(manifest);
    if (template === undefined) return [];
    const claims = (manifest.spec?.["volumeClaimTemplates"] ?? []) as readonly Manifest[];
    const added = claims.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: name } }));
    const metadata = {
      ...template.metadata,
      name: `${manifest.kind.toLowerCase()}-${manifest.metadata.name}`,
      namespace,
    };
    const spec = { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...added] };
    return [{ apiVersion: "v1", kind: "Pod", metadata, spec }];
  });
}

/** A pod of a ScaledJob, labelled `sample=<name>` and by nothing else. */
export function workerPod(
  manifests: readonly Manifest[],
  worker: string,
  { name, ...changes }: { readonly name: string } & Readonly<Record<string, unknown>>,
): PodManifest {
  const manifest = scaledJob(manifests, worker);
  const template = podTemplateOf(manifest);
  assert.ok(template !== undefined);
  const namespace = manifest.metadata.namespace ?? "";
  const spec = { ...template.spec, ...changes };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels: { sample: name } }, spec };
}

/** The job that KEDA makes of a ScaledJob, but for the name that it draws. */
export function jobOf(manifests: readonly Manifest[], worker: string, name: string): Manifest {
  const { metadata, spec } = scaledJob(manifests, worker);
  const job = { apiVersion: "batch/v1", kind: "Job", metadata: { ...metadata, name: `${worker}-${name}` } };
  return { ...job, spec: spec?.["jobTargetRef"] as NonNullable<Manifest["spec"]> };
}

function scaledJob(manifests: readonly Manifest[], name: string): Manifest {
  const found = manifests.find(({ kind, metadata }) => kind === "ScaledJob" && metadata.name === name);
  assert.ok(found !== undefined, `no ScaledJob ${name}`);
  return found;
}
