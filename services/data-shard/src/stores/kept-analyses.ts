/**
 * Analyses beside their datasets, `datasets/<id>/analysis.json`. One is a function of the dataset alone: whoever writes it writes the
 * same, and one that is damaged, or of an earlier version, is as good as none. Nothing else vouches for its numbers: it has a
 * digest of its own.
 */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { NotFound } from "@pretrain/errors";
import { type DatasetAnalysis, DatasetAnalysisSchema } from "@pretrain/proto";
import { datasetPrefix } from "@pretrain/shards";

/** Raised when the same dataset would be analyzed to other numbers. */
const version = 1;

export class KeptAnalyses {
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Undefined: there is none of exactly this dataset that is as this version wrote it. */
  async read(datasetId: string, datasetSha256: string): Promise<DatasetAnalysis | undefined> {
    try {
      const analysis = decoded(await this.#blobs.read(keyOf(datasetId)));
      return analysis?.datasetSha256 === datasetSha256 ? analysis : undefined;
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  /** Replaces one that could not be used. @throws as the blob store */
  async write(datasetId: string, analysis: DatasetAnalysis): Promise<void> {
    const numbers = toJson(DatasetAnalysisSchema, analysis);
    const file = { version, sha256: digestOf(numbers), analysis: numbers };
    await this.#blobs.put(keyOf(datasetId), Buffer.from(`${JSON.stringify(file)}\n`));
  }
}

function keyOf(datasetId: string): string {
  return `${datasetPrefix(datasetId)}analysis.json`;
}

function decoded(bytes: Uint8Array): DatasetAnalysis | undefined {
  const file = parsed(bytes);
  if (file?.["version"] !== version || file["analysis"] === undefined) return undefined;
  const isWhole = file["sha256"] === digestOf(file["analysis"]);
  return isWhole ? fromJson(DatasetAnalysisSchema, file["analysis"]) : undefined;
}

function parsed(bytes: Uint8Array): { readonly [member: string]: JsonValue } | undefined {
  try {
    const value: JsonValue = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // damaged
  }
}

function digestOf(numbers: JsonValue): string {
  return sha256Hex(Buffer.from(JSON.stringify(numbers)));
}
