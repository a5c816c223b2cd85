/** What an image would hold of the workspace, and what is fetched for its engine, without making anything. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Wheel } from "@pretrain/wheels";
import { filesOf } from "./package-files.ts";
import type { Role } from "./roles.ts";
import { packagesOf } from "./workspace-packages.ts";

export function contentsOf(checkout: string, { name, services, engine }: Role, wheels: readonly Wheel[]) {
  const packages = packagesOf(checkout, services).map((each) => {
    const sizes = filesOf(checkout, each).map((file) => statSync(join(checkout, each.folder, file)).size);
    return {
      package: `${each.name}@${each.version}`,
      files: sizes.length,
      sizeBytes: sizes.reduce((a, b) => a + b, 0),
    };
  });
  return {
    role: name,
    engine,
    sizeBytes: packages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    fetched: wheels.map(({ requirement, sha256, platform }) => ({ requirement, sha256, platform })),
    packages: packages.sort((a, b) => b.sizeBytes - a.sizeBytes),
  };
}
