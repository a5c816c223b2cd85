/** One line per method of the service. */
import type { BlobStore } from "@pretrain/blobs";
import { FailedPrecondition } from "@pretrain/errors";
import type { RecordIndex } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { TrainerService } from "@pretrain/proto";
import { type ServedService, service } from "@pretrain/rpc";
import type { ExperimentFacts } from "./experiment/experiment-facts.ts";
import { cancelExperiment, pauseExperiment, resumeExperiment } from "./handlers/change-experiment.ts";
import { forkExperiment } from "./handlers/fork-experiment.ts";
import { getExperiment } from "./handlers/get-experiment.ts";
import { importCheckpoint } from "./handlers/import-checkpoint.ts";
import { listCheckpoints } from "./handlers/list-checkpoints.ts";
import { listExperiments } from "./handlers/list-experiments.ts";
import { startExperiment } from "./handlers/start-experiment.ts";
import { watchExperiment } from "./handlers/watch-experiment.ts";
import type { Experiments } from "./stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
  readonly blobs: BlobStore;
  readonly now: () => Date;
  readonly log: Log;
  readonly wake: () => void;
}

export function trainerMethods(dependencies: Dependencies): ServedService {
  return service(TrainerService, {
    startExperiment: startExperiment(dependencies),
    forkExperiment: forkExperiment(dependencies),
    importCheckpoint: importCheckpoint(dependencies),
    getExperiment: getExperiment(dependencies),
    listExperiments: listExperiments(dependencies),
    watchExperiment: watchExperiment(dependencies),
    pauseExperiment: pauseExperiment(dependencies),
    resumeExperiment: resumeExperiment(dependencies),
    cancelExperiment: cancelExperiment(dependencies),
    listCheckpoints: listCheckpoints(dependencies),
    explainStep: () => {
      throw new FailedPrecondition("NOT_THERE_YET", "ExplainStep is not there yet");
    },
  });
}
