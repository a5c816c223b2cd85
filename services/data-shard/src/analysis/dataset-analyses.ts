/**
 * Analyses of datasets, each computed when it is first asked for and then kept. Callers that ask for the same one wait for one
 * computation, which goes on when they go away; datasets are analyzed one after the other, so that memory holds one.
 */
import { create } from "@bufbuild/protobuf";
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { Unavailable } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type DatasetAnalysis, DatasetAnalysisSchema } from "@pretrain/proto";
import type { ShardedDataset } from "@pretrain/shards";
import { loadTokenizer } from "@pretrain/tokenizer";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";
import { KeptAnalyses } from "../stores/kept-analyses.ts";
import type { ReadyDatasets } from "../stores/ready-datasets.ts";
import { analyze, type DatasetFindings } from "./analyze.ts";
import { type Markers, markersOf, runTokens } from "./token-runs.ts";

export interface AnalysesDependencies {
  readonly ready: ReadyDatasets;
  readonly blobs: BlobStore;
  readonly log: Log;
}

interface AnalyzedDataset {
  /** `datasets/{dataset}` */
  readonly name: string;
  readonly manifestSha256: string;
  readonly shards: ShardedDataset;
}

/** Disposing ends the computation at once; nothing of it is kept, and the next process begins it anew. */
export class DatasetAnalyses implements Disposable {
  readonly #dependencies: AnalysesDependencies;
  readonly #kept: KeptAnalyses;
  readonly #stop = new AbortController();
  /** By the dataset's digest: being read, waiting or being computed. */
  readonly #asked = new Map<string, Promise<DatasetAnalysis>>();
  /** Ends when the analysis that was asked for last has ended, well or not. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(dependencies: AnalysesDependencies) {
    this.#dependencies = dependencies;
    this.#kept = new KeptAnalyses(dependencies.blobs);
  }

  /**
   * @param name `datasets/{dataset}`
   * @throws NotFound; FailedPrecondition unless it is READY; DataLoss naming a damaged part; Unavailable when the service stops
   */
  async of(name: string): Promise<DatasetAnalysis> {
    const { dataset, shards } = await this.#dependencies.ready.open(name);
    const { manifestSha256 } = dataset;
    const asked = this.#asked.get(manifestSha256);
    if (asked !== undefined) return await asked;
    const answer = this.#keptOrComputed({ name, manifestSha256, shards });
    this.#asked.set(manifestSha256, answer);
    try {
      return await answer;
    } finally {
      this.#asked.delete(manifestSha256);
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort(new Unavailable("SHUTTING_DOWN", "the service is being stopped; ask its successor"));
  }

  async #keptOrComputed(dataset: AnalyzedDataset): Promise<DatasetAnalysis> {
    const kept = await this.#kept.read(datasetIdOfName(dataset.name), dataset.manifestSha256);
    if (kept !== undefined) return kept;
    const computed = this.#last.then(() => this.#compute(dataset));
    this.#last = computed.catch(() => undefined); // who asked for it is told
    return await computed;
  }

  async #compute(dataset: AnalyzedDataset): Promise<DatasetAnalysis> {
    const { log } = this.#dependencies;
    const begunMs = performance.now();
    const markers = await this.#markersOf(dataset.shards);
    const analysis = analysisMessage(dataset, await analyze(dataset.shards, markers, { signal: this.#stop.signal }));
    await this.#kept.write(datasetIdOfName(dataset.name), analysis);
    log.info({ dataset: dataset.name, durationSeconds: (performance.now() - begunMs) / 1000 }, "analyzed");
    return analysis;
  }

  async #markersOf({ manifest }: ShardedDataset): Promise<Markers> {
    const { tokenizerKey, tokenizerSha256 } = manifest.identity;
    const tokenizer = loadTokenizer(await verifiedRead(this.#dependencies.blobs, tokenizerKey, tokenizerSha256));
    return markersOf(Object.values(tokenizer.specialTokens));
  }
}

function analysisMessage(
  { name, manifestSha256 }: AnalyzedDataset,
  { trainTokenCounts, overlap, comparedEvery }: DatasetFindings,
): DatasetAnalysis {
  return create(DatasetAnalysisSchema, {
    dataset: name,
    datasetSha256: manifestSha256,
    trainTokenCounts: Array.from(trainTokenCounts, BigInt),
    overlap: {
      comparedEvery,
      validationRows: BigInt(overlap.rows),
      identicalRows: BigInt(overlap.identicalRows),
      runTokens,
      validationRuns: BigInt(overlap.runs),
      overlappingRuns: BigInt(overlap.overlappingRuns),
      rowsWithOverlap: BigInt(overlap.rowsWithOverlap),
    },
  });
}
