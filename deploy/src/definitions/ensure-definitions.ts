/** Fetches what the cluster's kinds are, once, and writes it as schemas beside the definitions themselves. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataLoss } from "@pretrain/errors";
import { completeFolder } from "@pretrain/wheels";
import { parse } from "yaml";
import { expectGo, go } from "../tools/go.ts";
import { type Described, definitionsOf, type Kind, manifestSchema, schemaFileName } from "./json-schema.ts";
import { extensionSources, kubernetesSource, type Source } from "./sources.ts";

/** Another name for other contents: the sources, and the program that makes schemas of them. */
function folderName(): string {
  const made = createHash("sha256").update(JSON.stringify([kubernetesSource, extensionSources]));
  for (const file of ["json-schema.ts", "ensure-definitions.ts"])
    made.update(readFileSync(new URL(file, import.meta.url)));
  return `definitions-${made.digest("hex").slice(0, 12)}`;
}

export const definitionsFolder = join(fileURLToPath(new URL("../../.native", import.meta.url)), folderName());
/** Schemas for kubeconform. */
export const schemasFolder = join(definitionsFolder, "schemas");
/** CustomResourceDefinitions, as a cluster wants them. */
export const extensionsFolder = join(definitionsFolder, "extensions");

/**
 * @param started is called if there is something to do
 * @throws FailedPrecondition without Go, or when a module cannot be fetched; DataLoss when one is not what the table says
 */
export async function ensureDefinitions(started: () => void): Promise<void> {
  if (existsSync(definitionsFolder)) return;
  started();
  await expectGo();
  await completeFolder(definitionsFolder, async (folder) => {
    const [schemas, extensions] = [join(folder, "schemas"), join(folder, "extensions")];
    await mkdir(schemas);
    await mkdir(extensions);
    await writeKubernetesSchemas(join(await fetchedModule(kubernetesSource), kubernetesSource.files[0] ?? ""), schemas);
    for (const source of extensionSources) {
      const module = await fetchedModule(source);
      for (const file of source.files) await keepExtension(join(module, file), extensions, schemas);
    }
  });
}

/** @returns the folder of the module's files, which Go keeps and nobody may write to */
async function fetchedModule({ module, version, sum }: Source): Promise<string> {
  const printed = await go(tmpdir(), ["mod", "download", "-json", `${module}@${version}`]);
  const found = JSON.parse(printed) as { Dir: string; Sum: string };
  if (found.Sum === sum) return found.Dir;
  const message = `${module}@${version}: its checksum is ${found.Sum}, expected ${sum}; it was not used`;
  throw new DataLoss("MODULE_DIGEST", message, { module, found: found.Sum, expected: sum });
}

const definitionsFile = "_definitions.json";

interface DescribedKind extends Described {
  readonly "x-kubernetes-group-version-kind"?: readonly Kind[];
}

async function writeKubernetesSchemas(swagger: string, folder: string): Promise<void> {
  const { definitions } = JSON.parse(await readFile(swagger, "utf8")) as { definitions: Record<string, DescribedKind> };
  await writeFile(join(folder, definitionsFile), JSON.stringify(definitionsOf(definitions)));
  for (const node of Object.values(definitions)) {
    const [kind, another] = node["x-kubernetes-group-version-kind"] ?? [];
    // What belongs to several kinds is part of a request, and no manifest.
    if (kind !== undefined && another === undefined) await writeSchema(folder, kind, node);
  }
}

interface Extension {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Described } }[];
  };
}

async function keepExtension(file: string, extensions: string, schemas: string): Promise<void> {
  const written = await readFile(file, "utf8");
  await writeFile(join(extensions, basename(file)), written);
  const { spec } = parse(written) as Extension;
  for (const { name, schema } of spec.versions) {
    await writeSchema(schemas, { group: spec.group, version: name, kind: spec.names.kind }, schema.openAPIV3Schema);
  }
}

function writeSchema(folder: string, kind: Kind, node: Described): Promise<void> {
  return writeFile(join(folder, schemaFileName(kind)), JSON.stringify(manifestSchema(kind, node, definitionsFile)));
}
