/** The namespace that an overlay fills, and the secrets in it. Their contents go through kubectl's standard input, never a command line. */
import { FailedPrecondition } from "@pretrain/errors";
import type { Kubectl } from "../kubectl/index.ts";
import { type Manifest, writtenManifests } from "../overlays/manifests.ts";

/** By this name the cluster knows which fields, and so which resources, are ours. */
export const fieldManager = "pretrain-deploy";

export interface Namespace {
  readonly name: string;
  readonly manifest: Manifest;
}

/** @throws FailedPrecondition unless the manifests make exactly one namespace and all that is namespaced lives in it */
export function namespaceOf(manifests: readonly Manifest[]): Namespace {
  const [manifest, another] = manifests.filter(({ kind }) => kind === "Namespace");
  const name = manifest?.metadata.name;
  const elsewhere = manifests.filter(({ metadata }) => metadata.namespace !== undefined && metadata.namespace !== name);
  if (manifest !== undefined && name !== undefined && another === undefined && elsewhere.length === 0) {
    return { name, manifest };
  }
  const found = elsewhere.map(({ kind, metadata }) => `${kind} ${metadata.name} is in ${metadata.namespace}`);
  const message = `an overlay makes one namespace and lives in it; ${found.join(", ") || "this one makes none, or several"}`;
  throw new FailedPrecondition("OVERLAY_NAMESPACE", message);
}

export interface Secret {
  readonly name: string;
  readonly type: "Opaque" | "kubernetes.io/tls";
  readonly data: Contents;
}

export type Contents = Readonly<Record<string, string>>;

/** What is in each secret of the namespace, by its name. */
export async function presentSecrets(kubectl: Kubectl, { name }: Namespace): Promise<ReadonlyMap<string, Contents>> {
  const printed = await kubectl.run(["get", "secrets", "-n", name, "-o", "json"]);
  const { items } = JSON.parse(printed) as { items: readonly { metadata: { name: string }; data?: Contents }[] };
  const decoded = (value: string) => Buffer.from(value, "base64").toString();
  return new Map(
    items.map(({ metadata, data = {} }) => {
      const contents = Object.entries(data).map(([key, value]) => [key, decoded(value)]);
      return [metadata.name, Object.fromEntries(contents) as Contents];
    }),
  );
}

/** @throws FailedPrecondition where one of these names is there already */
export function createSecrets(kubectl: Kubectl, namespace: Namespace, secrets: readonly Secret[]): Promise<void> {
  return put("create", kubectl, namespace, secrets);
}

/** In place of what is there. */
export function replaceSecrets(kubectl: Kubectl, namespace: Namespace, secrets: readonly Secret[]): Promise<void> {
  return put("replace", kubectl, namespace, secrets);
}

async function put(
  verb: "create" | "replace",
  kubectl: Kubectl,
  { name: namespace }: Namespace,
  secrets: readonly Secret[],
): Promise<void> {
  if (secrets.length === 0) return;
  const labels = { "app.kubernetes.io/part-of": "pretrain" };
  const manifests = secrets.map(({ name, type, data }) => {
    const metadata = { name, namespace, labels };
    return { apiVersion: "v1", kind: "Secret", metadata, type, stringData: data };
  });
  await kubectl.run([verb, "-f", "-", `--field-manager=${fieldManager}`], writtenManifests(manifests));
}
