/** What an earlier run has applied, by the mark that a server-side apply leaves on every resource. */
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";
import { appliedKinds, type ClusterKind } from "./cluster-kinds.ts";
import { fieldManager, type Namespace } from "./namespace.ts";

export interface Resource {
  /** As kubectl takes it: `deployments.apps`. */
  readonly resource: string;
  readonly kind: string;
  readonly name: string;
  readonly namespaced: boolean;
}

interface Found {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
}

/** Every resource in the namespace, and every one outside of namespaces, that was applied from here. */
export async function appliedResources(
  kubectl: Kubectl,
  kinds: readonly ClusterKind[],
  { name: namespace }: Namespace,
): Promise<readonly Resource[]> {
  const found: Resource[] = [];
  for (const namespaced of [true, false]) {
    const asked = kinds.filter((each) => each.namespaced === namespaced && appliedKinds.has(each.kind));
    const names = asked.map(({ resource }) => resource).join(",");
    const list = ["get", names, "-o", "json", "--show-managed-fields", ...(namespaced ? ["-n", namespace] : [])];
    const { items } = JSON.parse(await kubectl.run(list)) as { items: readonly Found[] };
    for (const { apiVersion, kind, metadata } of items.filter(isApplied)) {
      const known = asked.find((each) => each.kind === kind && each.apiVersion === apiVersion);
      if (known !== undefined) found.push({ resource: known.resource, kind, name: metadata.name, namespaced });
    }
  }
  return found;
}

function isApplied({ metadata }: Found): boolean {
  const marks = metadata.managedFields ?? [];
  return marks.some(({ manager, operation }) => manager === fieldManager && operation === "Apply");
}

/** Who is asked to go first. Workers write a last checkpoint, for which store, broker and the ways to them must still be there. */
const removalOrder: readonly ((resource: Resource) => boolean)[] = [
  ({ kind }) => kind === "ScaledJob" || kind === "ScaledObject",
  ({ kind, name }) => kind === "Deployment" || (kind === "StatefulSet" && !keepsForOthers.has(name)),
  ({ kind }) => kind === "StatefulSet",
  () => true,
];

const keepsForOthers = new Set(["nats", "s3"]);

/** Deletes them, the ones that others depend on last, and returns when they and what they had made are gone. */
export async function removeResources(
  kubectl: Kubectl,
  { name: namespace }: Namespace,
  resources: readonly Resource[],
  say: (line: string) => void,
): Promise<void> {
  let left = resources;
  for (const isNext of removalOrder) {
    const next = left.filter(isNext);
    left = left.filter((resource) => !isNext(resource));
    for (const namespaced of [true, false]) {
      const names = next.flatMap((each) => (each.namespaced === namespaced ? [`${each.resource}/${each.name}`] : []));
      if (names.length === 0) continue;
      const place = namespaced ? ["-n", namespace] : [];
      await kubectl.run(["delete", ...names, ...place, "--ignore-not-found", "--cascade=foreground", "--timeout=10m"]);
      for (const name of names) say(`removed ${name}`);
    }
  }
}

/** What was applied once and is not among the manifests any more. Old settings stay: jobs that run keep what they began with. */
export function obsolete(applied: readonly Resource[], manifests: readonly Manifest[]): readonly Resource[] {
  const wanted = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  return applied.filter(({ kind, name }) => !wanted.has(`${kind} ${name}`) && !kept.has(kind) && kind !== "ConfigMap");
}

/** What holds data, or holds what holds data. */
export const kept: ReadonlySet<string> = new Set(["Namespace", "PersistentVolumeClaim", "PersistentVolume", "Secret"]);
