/** Which files of a package an image holds: those that something can read while it runs, and licenses. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { WorkspacePackage } from "./workspace-packages.ts";

/** @returns paths relative to the package's folder, sorted */
export function filesOf(checkout: string, of: WorkspacePackage): readonly string[] {
  return below(join(checkout, of.folder), "")
    .filter((file) => isHeld(of, file))
    .sort();
}

/** Links (of pnpm) and folders that begin with a dot (of our set-up) are no part of a package. */
function below(folder: string, place: string): string[] {
  return readdirSync(join(folder, place), { withFileTypes: true }).flatMap((entry) => {
    const path = place === "" ? entry.name : `${place}/${entry.name}`;
    if (entry.isDirectory())
      return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : below(folder, path);
    return entry.isFile() ? [path] : [];
  });
}

/** @param file relative to the package's folder */
export function isHeld({ name, folder, isOurs }: Pick<WorkspacePackage, "name" | "folder" | "isOurs">, file: string) {
  if (isOurs) return isHeldOfOurs(`${folder}/${file}`);
  if (licenseFile.test(file)) return true;
  return !notRun.test(file) && !(unusedOf.find(([pattern]) => pattern.test(name))?.[1].test(file) ?? false);
}

/** The license that a package was given under goes where the package goes. */
const licenseFile = /(^|\/)(licen[cs]e|notice|copying)[^/]*$/i;

/** Node runs no TypeScript below node_modules; maps, declarations and prose are for people. */
const notRun = /\.([cm]?ts|map|md|markdown|tsbuildinfo|flow)$|\.(min\.js|js)\.html$/i;

/** What weighs much and is for others: builds for browsers, tests, sources of what the set-up has built, encodings of other models. */
const unusedOf: readonly (readonly [name: RegExp, files: RegExp])[] = [
  [/^@tensorflow\//, /^dist\/tf[a-z-]*(\.es2017|\.fesm)?(\.min)?\.js$|_test\.js$|^(binding|deps|scripts)\//],
  [/^tiktoken$/, /^encoders\//],
  [/^bintrees$/, /^(dist|test)\//],
];

/**
 * Tests and what only they import stay behind, but not where an evaluation's certificate is a digest of a folder's sources: it speaks of
 * everything there but tests themselves, and must be the same in an image as in a checkout.
 */
function isHeldOfOurs(place: string): boolean {
  if (place.endsWith(".test.ts")) return false;
  if (digested.test(place)) return true;
  return !/\/(test-support|testdata)\/|\/testing\.ts$|\.fuzz\.ts$|\.md$|\/tsconfig\.json$|\.d\.ts$/.test(place);
}

const digested = /^(libs\/(learning|engine|programs)\/|services\/evaluator\/src\/(worker|evaluation)\/)/;
