/**
 * Certificates for an overlay without cert-manager: one authority, kept in the namespace beside the keys that it vouches for (whoever may
 * read one secret there may read all), and one certificate for each identity. What is about to expire is issued anew by the next run;
 * processes read their certificates again and go on.
 */
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tlsFiles } from "@pretrain/tls";
import { type Authority, createAuthority, restoreAuthority } from "@pretrain/tls/authority";
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";
import { type Contents, createSecrets, type Namespace, replaceSecrets, type Secret } from "./namespace.ts";

/** The name, and the form, in which cert-manager keeps one: where it takes over, it goes on with this one. */
const authoritySecret = "pretrain-authority";
const validDays = 365;
/** Of validity left when a run issues anew: whoever applies every half a year never meets an expired one. */
const renewedDays = 180;
const dayMs = 24 * 3600 * 1000;

interface Wanted {
  /** `trainer`, whose secret is `trainer-tls`. */
  readonly identities: readonly string[];
  /** They say by which names a process is called. */
  readonly manifests: readonly Manifest[];
  /** Every secret that is there. */
  readonly present: ReadonlyMap<string, Contents>;
  readonly say: (line: string) => void;
}

/** Issues what is missing or about to expire; does nothing, and makes no authority, where nothing is. */
export async function ensureCertificates(kubectl: Kubectl, namespace: Namespace, wanted: Wanted): Promise<void> {
  const { identities, manifests, present, say } = wanted;
  const nameOf = (identity: string) => `${identity}-tls`;
  const needed = identities.filter((each) => !isGoodForLong(present.get(nameOf(each))?.[tlsFiles.certificate]));
  if (needed.length === 0) return;
  const authority = await keptAuthority(kubectl, namespace, wanted);
  const secrets = await Promise.all(
    needed.map(async (identity): Promise<Secret> => {
      const data = await issued(authority, identity, hostsOf(identity, namespace, manifests));
      return { name: nameOf(identity), type: "kubernetes.io/tls", data };
    }),
  );
  await createSecrets(
    kubectl,
    namespace,
    secrets.filter(({ name }) => !present.has(name)),
  );
  await replaceSecrets(
    kubectl,
    namespace,
    secrets.filter(({ name }) => present.has(name)),
  );
  say(`certificates for ${validDays} days: ${needed.join(", ")}`);
}

/** Also false for what cannot be read: it is of no use to anybody. */
function isGoodForLong(certificate: string | undefined): boolean {
  try {
    const { validToDate } = new X509Certificate(certificate ?? "");
    return validToDate.getTime() - Date.now() > renewedDays * dayMs;
  } catch {
    return false;
  }
}

/** Kept before anything is issued by it: a run that ends in between leaves nothing that nobody can vouch for. */
async function keptAuthority(kubectl: Kubectl, namespace: Namespace, { present, say }: Wanted): Promise<Authority> {
  const { certificate, key } = tlsFiles;
  const kept = present.get(authoritySecret);
  if (kept?.[certificate] !== undefined && kept[key] !== undefined) {
    return restoreAuthority({ certificate: kept[certificate], key: kept[key] });
  }
  const authority = await createAuthority();
  const ours = authority.certificate;
  const data = { [certificate]: ours, [key]: authority.material.key, [tlsFiles.authority]: ours };
  await createSecrets(kubectl, namespace, [{ name: authoritySecret, type: "kubernetes.io/tls", data }]);
  say(`secret ${authoritySecret}: an authority of this installation's own`);
  return authority;
}

async function issued(authority: Authority, name: string, hosts: readonly string[]): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "pretrain-certificate-")); // readable by its owner only
  try {
    await authority.issue(folder, { name, hosts, validDays });
    const files = Object.values(tlsFiles);
    return Object.fromEntries(
      await Promise.all(files.map(async (file) => [file, await readFile(join(folder, file), "utf8")])),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** By which it is called in its namespace and from others; and from a forwarded port. A pod of a StatefulSet has a name of its own. */
function hostsOf(identity: string, { name: namespace }: Namespace, manifests: readonly Manifest[]): string[] {
  const isOfIdentity = ({ metadata }: Manifest) => metadata.name === identity;
  if (!manifests.some((manifest) => manifest.kind === "Service" && isOfIdentity(manifest))) return [identity];
  const set = manifests.find((manifest) => manifest.kind === "StatefulSet" && isOfIdentity(manifest));
  const replicas = Number(set?.spec?.["replicas"] ?? 0);
  const pods = Array.from({ length: replicas }, (_, place) => `${identity}-${place}.${identity}`);
  const names = [identity, ...pods].flatMap((name) => [
    name,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.cluster.local`,
  ]);
  return [...names, "localhost", "127.0.0.1"];
}
