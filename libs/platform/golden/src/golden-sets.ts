/** Where the golden numbers are: in the repository's own `testdata`, and in each folder of `PRETRAIN_TESTDATA`. */
import { existsSync, readFileSync } from "node:fs";
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

/** The folders of that kind that are there, the repository's own first. @throws Error when `PRETRAIN_TESTDATA` names no folder */
export function goldenSets(kind: GoldenKind): readonly GoldenSet[] {
  return placesOf(kind).filter(({ folder }) => existsSync(folder));
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
