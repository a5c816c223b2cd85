/** The secrets and settings that an overlay's pods want, made as `deploy apply` makes them on a cluster, but into a folder. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "@pretrain/access";
import { createAuthority } from "@pretrain/tls/authority";
import { type Manifest, wantedSecrets } from "../../overlays/manifests.ts";

type Files = Readonly<Record<string, string>>;

export interface LocalSecrets {
  readonly secrets: ReadonlyMap<string, Files>;
  readonly configMaps: ReadonlyMap<string, Files>;
  /** The operator's, for `authorization: Bearer`. */
  readonly key: string;
  /** Folder with a certificate of the operator's own, whose `ca.crt` is everybody's. */
  readonly certificates: string;
}

export async function localSecrets(manifests: readonly Manifest[], folder: string): Promise<LocalSecrets> {
  const { key, sha256 } = createApiKey();
  const authority = await createAuthority();
  const secrets = new Map<string, Files>([
    [
      "pretrain-access",
      { "access.yaml": `callers:\n  - { name: operator, key_sha256: ${sha256}, roles: [{ role: operator }] }\n` },
    ],
    ["pretrain-s3", { AWS_ACCESS_KEY_ID: "pretrain", AWS_SECRET_ACCESS_KEY: randomBytes(32).toString("base64url") }],
  ]);
  for (const name of wantedSecrets(manifests).keys()) {
    if (!name.endsWith("-tls")) continue;
    const identity = name.slice(0, -"-tls".length);
    const place = join(folder, name);
    await authority.issue(place, { name: identity });
    secrets.set(name, await filesIn(place));
  }
  const certificates = join(folder, "operator");
  await mkdir(certificates, { recursive: true });
  await authority.issue(certificates, { name: "operator" });
  const configMaps = manifests.flatMap(({ kind, metadata, ...rest }) =>
    kind === "ConfigMap" && "data" in rest ? [[metadata.name, rest.data as Files] as const] : [],
  );
  return { secrets, configMaps: new Map(configMaps), key, certificates };
}

async function filesIn(folder: string): Promise<Files> {
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  );
}
