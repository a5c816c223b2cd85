/** One line per method of the service. */

import type { BlobStore } from "@pretrain/blobs";
import { DataShardService } from "@pretrain/proto";
import { type ServedService, service } from "@pretrain/rpc";
import type { DatasetAnalyses } from "./analysis/dataset-analyses.ts";
import { analyzeDataset } from "./handlers/analyze-dataset.ts";
import { getDataset } from "./handlers/get-dataset.ts";
import { getDatasetReport } from "./handlers/get-dataset-report.ts";
import { listDatasets } from "./handlers/list-datasets.ts";
import { packDataset } from "./handlers/pack-dataset.ts";
import { readSequences } from "./handlers/read-sequences.ts";
import { streamBatches } from "./handlers/stream-batches.ts";
import { FileDigests } from "./reading/file-digests.ts";
import type { DatasetRecords } from "./stores/dataset-records.ts";
import type { ReadyDatasets } from "./stores/ready-datasets.ts";

export interface Dependencies {
  readonly records: DatasetRecords;
  readonly blobs: BlobStore;
  readonly ready: ReadyDatasets;
  readonly analyses: DatasetAnalyses;
  readonly dataRoots: readonly string[];
  readonly enqueue: (name: string) => void;
  readonly onBatch: (rows: number) => void;
  readonly now: () => Date;
}

export function dataShardMethods(dependencies: Dependencies): ServedService {
  const { records, ready, analyses, onBatch } = dependencies;
  return service(DataShardService, {
    packDataset: packDataset({ ...dependencies, digests: new FileDigests() }),
    getDataset: getDataset({ records }),
    listDatasets: listDatasets({ records }),
    getDatasetReport: getDatasetReport({ ready }),
    streamBatches: streamBatches({ ready, onBatch }),
    readSequences: readSequences({ ready }),
    analyzeDataset: analyzeDataset({ analyses }),
  });
}
