/** From a role to everything that its image holds. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { dirname as above } from "node:path/posix";
import { billOfMaterials } from "./bill-of-materials.ts";
import { checkout } from "./checkout.ts";
import { engineFiles, wheelsOf } from "./engine-files.ts";
import { filesOf } from "./package-files.ts";
import { type Role, workspaceInImage } from "./roles.ts";
import type { Entry, RootFileSystem } from "./root-file-system.ts";
import { sharedLibraries, systemFiles } from "./system-files.ts";
import { describeLibraries } from "./system-packages.ts";
import { packagesOf, type WorkspacePackage } from "./workspace-packages.ts";

export const billInImage = "/usr/share/pretrain/sbom.cdx.json";

/** @throws FailedPrecondition for what the set-up has not made, and for a library that this machine lacks */
export async function composeImage(role: Role): Promise<RootFileSystem> {
  const packages = packagesOf(checkout, role.services);
  const engine = engineFiles(checkout, role.engine);
  const workspace = new Map([...workspaceFiles(packages), ...engine]);
  const system = systemFiles();
  const objects = [...system.values(), ...engine.values()].flatMap((entry) =>
    entry.kind === "file" ? [entry.source] : [],
  );
  const libraries = await sharedLibraries(objects.filter(isObject), (path) => path.startsWith(`${checkout}/`));
  const bill = billOfMaterials({
    role,
    version: versionOf("."),
    packages,
    wheels: wheelsOf(role.engine),
    libraries: await describeLibraries(libraries),
  });
  return new Map([
    ...system,
    ...libraries,
    [billInImage, { kind: "text", text: `${JSON.stringify(bill, null, 1)}\n` }],
    ...[...workspace].map(([path, entry]) => [`${workspaceInImage}/${path}`, entry] as const),
  ]);
}

/** By path below the workspace. Links are relative, so that they lead nowhere else. */
export function workspaceFiles(packages: readonly WorkspacePackage[]): Map<string, Entry> {
  const manifest = { name: "pretrain", version: versionOf("."), private: true, type: "module" };
  const result = new Map<string, Entry>([
    ["package.json", { kind: "text", text: `${JSON.stringify(manifest)}\n` }],
    ["health-check.ts", { kind: "file", source: join(import.meta.dirname, "health-check.ts"), mode: 0o644 }],
  ]);
  for (const each of packages) {
    for (const file of filesOf(checkout, each)) {
      const source = join(checkout, each.folder, file);
      result.set(`${each.folder}/${file}`, { kind: "file", source, mode: 0o644 });
    }
    for (const [name, folder] of each.links) {
      const path = `${modulesOf(each)}/${name}`;
      if (folder !== path) result.set(path, { kind: "link", target: relative(above(path), folder) });
    }
  }
  return result;
}

function modulesOf({ name, folder, isOurs }: WorkspacePackage): string {
  return isOurs ? `${folder}/node_modules` : folder.slice(0, -name.length - 1);
}

function versionOf(folder: string): string {
  return JSON.parse(readFileSync(join(checkout, folder, "package.json"), "utf8")).version;
}

function isObject(path: string): boolean {
  return /(\/node|\.so(\.\d+)*|\.node)$/.test(path);
}
