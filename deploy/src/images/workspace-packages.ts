/**
 * The packages that a program needs, found as Node finds them: by the links that pnpm made. Dependencies for development are not
 * followed, nor are declarations of types and peers that a package can do without (type checkers and the like).
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { FailedPrecondition } from "@pretrain/errors";

export interface WorkspacePackage {
  readonly name: string;
  readonly version: string;
  /** As its own package.json says: an SPDX expression, mostly. */
  readonly license: string | undefined;
  /** Relative to the checkout, with slashes: `libs/platform/rpc`, `node_modules/.pnpm/pino@10.4.0/node_modules/pino`. */
  readonly folder: string;
  readonly isOurs: boolean;
  /** By the name it is imported by, the folder of each package that it needs. */
  readonly links: ReadonlyMap<string, string>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * @param checkout absolute   @param folders of the workspace, relative to it
 * @returns sorted by folder   @throws FailedPrecondition when something is not installed
 */
export function packagesOf(checkout: string, folders: readonly string[]): readonly WorkspacePackage[] {
  const found = new Map<string, WorkspacePackage>();
  const open = folders.map((folder) => realpathSync(join(checkout, folder)));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const folder = placeIn(checkout, path);
    if (found.has(folder)) continue;
    const manifest: Manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    const dependencies = dependenciesOf(checkout, manifest, path);
    open.push(...dependencies.values());
    found.set(folder, {
      name: manifest.name,
      version: manifest.version,
      license: typeof manifest.license === "string" ? manifest.license : undefined,
      folder,
      isOurs: !folder.startsWith("node_modules/"),
      links: new Map([...dependencies].map(([name, target]) => [name, placeIn(checkout, target)])),
    });
  }
  return [...found.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

function placeIn(checkout: string, path: string): string {
  const place = relative(checkout, path).split(sep).join("/");
  if (!place.startsWith("..")) return place;
  throw new FailedPrecondition(
    "PACKAGE_OUTSIDE",
    `${path} lies outside the checkout; install the packages in it: npx pnpm install`,
  );
}

/** What a package imports without saying so; Node finds it in the folder where pnpm links everything for such packages. */
const undeclared: Readonly<Record<string, readonly string[]>> = {
  "@tensorflow/tfjs": ["long"],
  "@tensorflow/tfjs-node-gpu": ["@tensorflow/tfjs-core"],
};

function dependenciesOf(checkout: string, manifest: Manifest, path: string): Map<string, string> {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const canDoWithout = (name: string) => name in optionalDependencies || peerDependenciesMeta[name]?.optional === true;
  const names = [
    ...Object.keys({ ...dependencies, ...optionalDependencies }),
    ...Object.keys(peerDependencies).filter((name) => !canDoWithout(name)),
  ];
  const result = new Map<string, string>();
  for (const name of undeclared[manifest.name] ?? []) {
    result.set(name, realpathSync(join(checkout, "node_modules/.pnpm/node_modules", name)));
  }
  for (const name of [...new Set(names)].filter((each) => !each.startsWith("@types/")).sort()) {
    const link = join(modulesFolder(manifest.name, path), name);
    if (existsSync(link)) result.set(name, realpathSync(link));
    else if (!canDoWithout(name)) throw notInstalled(manifest.name, name);
  }
  return result;
}

/** A package of ours has its dependencies in a folder of its own; one of others' lies among them. */
function modulesFolder(name: string, path: string): string {
  return path.endsWith(`node_modules/${name}`) ? path.slice(0, -name.length - 1) : join(path, "node_modules");
}

function notInstalled(by: string, name: string): FailedPrecondition {
  const message = `${name}, which ${by} needs, is not installed; run \`npx pnpm install\` in the checkout`;
  return new FailedPrecondition("PACKAGE_MISSING", message, { package: name });
}
