/** What a rendered overlay says, as values: the manifests, the pods that they lead to, and the secrets that those want. */
import { parseAllDocuments } from "yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

interface Container {
  readonly image: string;
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: KeyOfSecret } }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name: string; readonly optional?: boolean } }[];
}

interface KeyOfSecret {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

interface Volume {
  readonly secret?: SecretFiles;
  readonly projected?: { readonly sources?: readonly { readonly secret?: SecretFiles & { readonly name?: string } }[] };
}

interface SecretFiles {
  readonly secretName?: string;
  readonly items?: readonly { readonly key: string }[];
  readonly optional?: boolean;
}

/** @param rendered a YAML stream, as kustomize prints it */
export function parsedManifests(rendered: string): readonly Manifest[] {
  return parseAllDocuments(rendered).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const manifest = document.toJS({ maxAliasCount: 0 }) as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}

/** For `-f -`: JSON is YAML, and one document a line. */
export function writtenManifests(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join("");
}

/** The pod that a manifest leads to; a ScaledJob has it in its job. */
export function podTemplateOf({ kind, spec }: Manifest): PodTemplate | undefined {
  const path = { ScaledJob: ["jobTargetRef", "template"], CronJob: ["jobTemplate", "spec", "template"] }[kind];
  let found: unknown = kind === "Pod" ? { spec } : spec;
  for (const field of kind === "Pod" ? [] : (path ?? ["template"])) {
    found = typeof found === "object" && found !== null ? Reflect.get(found, field) : undefined;
  }
  return isPodTemplate(found) ? found : undefined;
}

function isPodTemplate(value: unknown): value is PodTemplate {
  return typeof value === "object" && value !== null && "spec" in value && hasContainers(value.spec);
}

function hasContainers(value: unknown): boolean {
  return typeof value === "object" && value !== null && "containers" in value;
}

/** Names of the secrets that pods cannot start without, and the keys of each that are named. */
export function wantedSecrets(manifests: readonly Manifest[]): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  const want = (name: string | undefined, keys: readonly string[], optional: boolean | undefined) => {
    if (name === undefined || optional === true) return;
    const known = wanted.get(name) ?? new Set();
    for (const key of keys) known.add(key);
    wanted.set(name, known);
  };
  const wantFiles = (secret: SecretFiles, name = secret.secretName) =>
    want(name, secret.items?.map(({ key }) => key) ?? [], secret.optional);
  for (const manifest of manifests) {
    const pod = podTemplateOf(manifest)?.spec;
    for (const { env = [], envFrom = [] } of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) {
      for (const { valueFrom } of env) {
        const from = valueFrom?.secretKeyRef;
        if (from !== undefined) want(from.name, [from.key], from.optional);
      }
      for (const { secretRef } of envFrom) want(secretRef?.name, [], secretRef?.optional);
    }
    for (const { secret, projected } of pod?.volumes ?? []) {
      if (secret !== undefined) wantFiles(secret);
      for (const source of projected?.sources ?? []) if (source.secret) wantFiles(source.secret, source.secret.name);
    }
  }
  return wanted;
}

/** Names of the secrets that come with the manifests: written in them, or made by cert-manager. */
export function suppliedSecrets(manifests: readonly Manifest[]): ReadonlySet<string> {
  const names = manifests.flatMap(({ kind, metadata, spec }) => {
    if (kind === "Secret") return [metadata.name];
    const made = kind === "Certificate" ? spec?.["secretName"] : undefined;
    return typeof made === "string" ? [made] : [];
  });
  return new Set(names);
}
