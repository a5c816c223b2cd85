/**
 * What lies in a folder that weights are to be read from. One of these, and beside it `config.json` or not:
 *
 *     model.safetensors.index.json     Hugging Face's list of shards, of which each tensor names its own
 *     model.safetensors                or the only file with this ending
 *     *.pth, *.bin                     the only one: a state dictionary of PyTorch's
 *
 * In a folder of `exports/` the files lie under other names, and `export.json` says which is which; without it the export is not whole.
 */
import type { BlobStore } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";
import { quoted, refused, shownValue } from "./refused.ts";

export interface WeightsFile {
  /** Its name in the folder. */
  readonly name: string;
  readonly key: string;
  readonly sizeBytes: number;
}

export interface WeightsFolder {
  /** Such as `imports/minimind`. */
  readonly source: string;
  /** Files that hold tensors, in the order of their names. */
  readonly weights: readonly WeightsFile[];
  /** Which file the list of shards has for a tensor; absent: there is one file. */
  readonly fileOf: ReadonlyMap<string, string> | undefined;
  /** `config.json`. */
  readonly config: WeightsFile | undefined;
  /** `tokenizer.json`. */
  readonly tokenizer: WeightsFile | undefined;
}

/** Of one file: it is read in one piece. */
const fileLimitBytes = 2 ** 30;
/** Of all together: sixteen thousand million numbers of a quarter of that width are more than one machine trains. */
const totalLimitBytes = 2 ** 34;
const filesLimit = 1_000;
const indexName = "model.safetensors.index.json";
const jsonLimitBytes = 4 * 2 ** 20;

/** @throws NotFound when there is nothing; FailedPrecondition IMPORT_REFUSED when it is not said which files to read, or they are too large */
export async function weightsFolder(blobs: BlobStore, source: string): Promise<WeightsFolder> {
  const stored = await filesOf(blobs, source);
  const files = source.startsWith("exports/") ? await exportedFiles(blobs, source, stored) : stored;
  const config = files.get("config.json");
  const index = files.get(indexName);
  const fileOf = index && shardsOf(await readJson(blobs, index), index.key);
  const names = fileOf === undefined ? [onlyFile(source, [...files.keys()])] : [...new Set(fileOf.values())].sort();
  const weights = names.map((name) => {
    const found = files.get(name);
    if (found !== undefined) return found;
    throw refused(`${source}/${indexName}`, `names ${quoted(name)}, which is not in the folder`);
  });
  expectSizes(source, weights);
  return { source, weights, fileOf, config, tokenizer: files.get("tokenizer.json") };
}

/** The JSON value of a small file. @throws FailedPrecondition IMPORT_REFUSED */
export async function readJson(blobs: BlobStore, { key, sizeBytes }: WeightsFile): Promise<unknown> {
  if (sizeBytes > jsonLimitBytes) throw refused(key, `has ${sizeBytes} bytes; the limit is ${jsonLimitBytes}`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await blobs.read(key)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw refused(key, "is not JSON in UTF-8", error);
    throw error;
  }
}

async function filesOf(blobs: BlobStore, source: string): Promise<Map<string, WeightsFile>> {
  const files = new Map<string, WeightsFile>();
  for await (const { key, sizeBytes } of blobs.list(`${source}/`)) {
    const name = key.slice(source.length + 1);
    if (name.includes("/")) continue; // a folder in it is not part of the model
    files.set(name, { name, key, sizeBytes });
    if (files.size > filesLimit) throw refused(source, `holds more than ${filesLimit} files`);
  }
  if (files.size > 0) return files;
  throw new NotFound("IMPORT_NOT_FOUND", `there is no file in ${source} of the blob store`, { source });
}

async function exportedFiles(
  blobs: BlobStore,
  source: string,
  stored: ReadonlyMap<string, WeightsFile>,
): Promise<Map<string, WeightsFile>> {
  const list = stored.get("export.json");
  if (list === undefined) {
    throw new NotFound("IMPORT_NOT_FOUND", `${source} holds no export that was finished: export.json is missing`, {
      source,
    });
  }
  const { export: exported }: Record<string, unknown> = Object(await readJson(blobs, list));
  const { files: named }: Record<string, unknown> = Object(exported);
  const entries = (Array.isArray(named) ? named : []).map((each: unknown): [string, WeightsFile] => {
    const { name, blob }: Record<string, unknown> = Object(each);
    const found = [...stored.values()].find(({ key }) => key === blob);
    if (typeof name === "string" && found !== undefined) return [name, { ...found, name }];
    throw refused(list.key, `names ${shownValue(blob)}, which is not in the folder`);
  });
  return new Map(entries);
}

function onlyFile(source: string, names: readonly string[]): string {
  if (names.includes("model.safetensors")) return "model.safetensors";
  const candidates = names.filter((name) => /\.(?:safetensors|pth|bin)$/.test(name));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const expected = `model.safetensors, ${indexName}, or one file that ends in .safetensors, .pth or .bin`;
  const found = candidates.length === 0 ? "no weights" : candidates.slice(0, 5).map(quoted).join(", ");
  throw refused(source, `holds ${found}; ${expected} is expected`);
}

function shardsOf(index: unknown, key: string): ReadonlyMap<string, string> {
  const { weight_map: map }: Record<string, unknown> = Object(index);
  if (typeof map !== "object" || map === null) throw refused(key, "has no weight_map");
  const shards = Object.entries(map).map(([tensor, file]): [string, string] => {
    if (typeof file === "string" && /^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/.test(file)) return [tensor, file];
    throw refused(
      key,
      `has ${shownValue(file)} as file of ${quoted(tensor)}; a .safetensors of the folder is expected`,
    );
  });
  if (shards.length === 0) throw refused(key, "names no tensor");
  return new Map(shards);
}

function expectSizes(source: string, weights: readonly WeightsFile[]): void {
  const tooLarge = weights.find(({ sizeBytes }) => sizeBytes > fileLimitBytes);
  if (tooLarge !== undefined) {
    const fault = `has ${tooLarge.sizeBytes} bytes; the limit of one file is ${fileLimitBytes}: save the model in smaller shards`;
    throw refused(tooLarge.key, fault);
  }
  const total = weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > totalLimitBytes) throw refused(source, `has ${total} bytes of weights; the limit is ${totalLimitBytes}`);
}
