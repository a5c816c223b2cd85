/** Where the golden numbers are: in the repository's own `testdata`, and in each folder of `PRETRAIN_TESTDATA`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { decodeSafetensors } from "@pretrain/safetensors";

export type GoldenKind = "golden-model" | "golden-eval" | "tokenizer" | "corpora";

/** One folder of golden files; another set of the same kind differs in sizes, seeds and numbers, all read from its files. */
export interface GoldenSet {
  /** `golden-model in testdata`: for titles and for what is skipped. */
  readonly title: string;
  readonly folder: string;
  /** The absolute path of a file of this set. */
  path(file: string): string;
  has(file: string): boolean;
  /** The content of a JSON file, in the form that its README describes. */
  json<Content>(file: string): Content;
  tensors(file: string): GoldenTensors;
}

/** Whatever type the numbers were stored in. */
export interface GoldenTensor {
  readonly shape: number[];
  readonly values: Float64Array;
}

export type GoldenTensors = ReadonlyMap<string, GoldenTensor>;

const repositoryRoot = resolve(import.meta.dirname, "../../../..");

/**
 * The folders of that kind that are there, the repository's own first. One that has its files again is not there twice.
 *
 * @throws Error when `PRETRAIN_TESTDATA` names no folder
 */
export function goldenSets(kind: GoldenKind): readonly GoldenSet[] {
  return placesOf(kind).filter((set) => existsSync(set.folder) && !isCopy(set, kind, numbersIn(set)));
}

/** Whether these files of a set are those of the repository's own, byte for byte: then they have been compared with already. */
export function isCopy(set: GoldenSet, kind: GoldenKind, files: readonly string[]): boolean {
  const own = goldenSet(kind, "testdata");
  const isSame = (file: string) => own.has(file) && readFileSync(own.path(file)).equals(readFileSync(set.path(file)));
  return set.folder !== own.folder && files.length > 0 && files.every(isSame);
}

/** But for what tells of them, and how they were made. */
function numbersIn({ folder }: GoldenSet): string[] {
  return readdirSync(folder).filter((file) => !/\.(md|py)$/.test(file));
}

/** A set for each root, its folder there or not. */
export function placesOf(kind: GoldenKind): readonly GoldenSet[] {
  return roots(process.env["PRETRAIN_TESTDATA"] ?? "").map((root) => goldenSet(kind, root));
}

/** `testdata` and the folders of a colon-separated list, as they are written there; relative ones begin at the repository. */
export function roots(list: string): readonly string[] {
  const named = list.split(":").filter((root) => root !== "");
  const missing = named.find((root) => !existsSync(resolve(repositoryRoot, root)));
  if (missing !== undefined) throw new Error(`PRETRAIN_TESTDATA names ${missing}, which is not there`);
  return ["testdata", ...named];
}

function goldenSet(kind: GoldenKind, root: string): GoldenSet {
  const folder = resolve(repositoryRoot, root, kind);
  const path = (file: string) => join(folder, file);
  return {
    title: `${kind} in ${root}`,
    folder,
    path,
    has: (file) => existsSync(path(file)),
    json: (file) => JSON.parse(readFileSync(path(file), "utf8")),
    tensors: (file) => readTensors(path(file)),
  };
}

function readTensors(path: string): GoldenTensors {
  const { tensors } = decodeSafetensors(readFileSync(path), path);
  return new Map(
    [...tensors].map(([name, { shape, data }]) => {
      const numbers: ArrayLike<number | bigint> = data;
      return [name, { shape: [...shape], values: Float64Array.from(numbers, Number) }];
    }),
  );
}
