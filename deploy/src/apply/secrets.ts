/**
 * The secrets that pods cannot start without: made where they can be, asked for where only the operator has them. One that is there is
 * never changed, but for a certificate of ours that is about to expire.
 */
import { randomBytes } from "node:crypto";
import { createApiKey } from "@pretrain/access";
import { FailedPrecondition } from "@pretrain/errors";
import type { Kubectl } from "../kubectl/index.ts";
import { type Manifest, suppliedSecrets, wantedSecrets } from "../overlays/manifests.ts";
import { ensureCertificates } from "./certificates.ts";
import { createSecrets, type Namespace, presentSecrets } from "./namespace.ts";

/** Who makes a secret, by its name. */
const accessSecret = "pretrain-access";
const storeSecret = "pretrain-s3";
const certificateSuffix = "-tls";

/**
 * @param say one line for the operator. The new key is among them: it is told here and nowhere else.
 * @throws FailedPrecondition naming every secret that only the operator can make, and how
 */
export async function ensureSecrets(
  kubectl: Kubectl,
  namespace: Namespace,
  manifests: readonly Manifest[],
  say: (line: string) => void,
): Promise<void> {
  const wanted = wantedSecrets(manifests);
  const supplied = suppliedSecrets(manifests);
  const present = await presentSecrets(kubectl, namespace);
  const missing = [...wanted.keys()].filter((name) => !supplied.has(name) && !present.has(name));
  const identities = [...wanted.keys()].flatMap((name) =>
    name.endsWith(certificateSuffix) && !supplied.has(name) ? [name.slice(0, -certificateSuffix.length)] : [],
  );
  const hasStore = manifests.some(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "s3");
  const cannotBeMade = missing.filter(
    (name) => name !== accessSecret && !name.endsWith(certificateSuffix) && !(name === storeSecret && hasStore),
  );
  if (cannotBeMade.length > 0) throw secretsMissing(cannotBeMade, wanted, namespace);
  if (missing.includes(storeSecret)) await createStoreKey(kubectl, namespace, say);
  await ensureCertificates(kubectl, namespace, { identities, manifests, present, say });
  if (missing.includes(accessSecret)) await createAccessFile(kubectl, namespace, say);
}

function secretsMissing(
  names: readonly string[],
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  { name: namespace }: Namespace,
): FailedPrecondition {
  const commands = names.map((name) => {
    const keys = [...(wanted.get(name) ?? [])];
    const literals = (keys.length === 0 ? ["KEY"] : keys).map((key) => `--from-literal=${key}=…`);
    return `kubectl -n ${namespace} create secret generic ${name} ${literals.join(" ")}`;
  });
  const message = `the overlay wants secrets that only you have; make them and run this again:\n  ${commands.join("\n  ")}`;
  return new FailedPrecondition("SECRETS_MISSING", message, { names: names.join(", ") });
}

async function createStoreKey(kubectl: Kubectl, namespace: Namespace, say: (line: string) => void): Promise<void> {
  const data = { AWS_ACCESS_KEY_ID: "pretrain", AWS_SECRET_ACCESS_KEY: randomBytes(32).toString("base64url") };
  await createSecrets(kubectl, namespace, [{ name: storeSecret, type: "Opaque", data }]);
  say(`secret ${storeSecret}: a key of the store in this cluster, made here`);
}

/**
 * The key is told before it is worth anything: were it the other way round, a run that ends in between would leave a file whose key
 * nobody knows.
 */
async function createAccessFile(kubectl: Kubectl, namespace: Namespace, say: (line: string) => void): Promise<void> {
  const { key, sha256 } = createApiKey();
  say(`the operator's key, shown this once (only its SHA-256 is kept):\n\n    ${key}\n`);
  const file = `callers:\n  - name: operator\n    key_sha256: ${sha256}\n    roles: [{ role: operator }]\n`;
  const data = { "access.yaml": file };
  await createSecrets(kubectl, namespace, [{ name: accessSecret, type: "Opaque", data }]);
  say(`secret ${accessSecret}: the access file, with that key alone`);
}
