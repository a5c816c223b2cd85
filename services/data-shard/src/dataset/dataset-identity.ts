/** What makes two datasets the same: the bytes that were read and the rules that were applied, not when, where or for whom. */
import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import type { CutRule } from "@pretrain/tokenizer";

/** A file as it was when the dataset was asked for. */
export interface SourceDigest {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** The rules of packing, each with a value: what a request leaves without effect is 0 here. */
export interface PackingRules {
  readonly format: "jsonl" | "text";
  readonly validationEvery: number;
  /** 0: a tokenizer is given. */
  readonly trainVocabularySize: number;
  readonly maximumSequenceLength: number;
  readonly cut: CutRule;
  /** 0 for JSONL. */
  readonly minimumRowCharacters: number;
}

export interface DatasetInputs {
  readonly train: SourceDigest;
  /** Undefined: rows are set aside. */
  readonly validation: SourceDigest | undefined;
  /** Undefined: one is trained. */
  readonly tokenizer: SourceDigest | undefined;
  readonly rules: PackingRules;
}

/** Raised when the same inputs would be packed into other bytes: datasets of an older version are then not taken for new ones. */
const packingVersion = 1;

/** The id of a dataset, such as `moby-dick-1f0a3c5e7d9b`: the file's name for people, the digest of all inputs for the rest. */
export function datasetIdOf(path: string, inputs: DatasetInputs): string {
  const { train, validation, tokenizer, rules } = inputs;
  const { format, validationEvery, trainVocabularySize, maximumSequenceLength, cut, minimumRowCharacters } = rules;
  const sources = [packingVersion, train.sha256, validation?.sha256 ?? null, tokenizer?.sha256 ?? null];
  const numbers = [validationEvery, trainVocabularySize, maximumSequenceLength, minimumRowCharacters];
  const identity = [...sources, format, cut, ...numbers];
  const digest = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  return `${nameForPeople(path)}-${digest.slice(0, 12)}`;
}

/** The id in a resource name `datasets/{dataset}`. */
export function datasetIdOfName(name: string): string {
  return name.slice("datasets/".length);
}

function nameForPeople(path: string): string {
  const name = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return name.slice(0, 40).replaceAll(/^-+|-+$/g, "") || "data";
}
