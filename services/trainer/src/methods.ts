/** One line per method of the service. */
import type { RecordIndex } from "@pretrain/events";
import { TrainerService } from "@pretrain/proto";
import { type ServedService, service } from "@pretrain/rpc";
import type { ExperimentFacts } from "./experiment/experiment-facts.ts";
import { cancelExperiment, pauseExperiment, resumeExperiment } from "./handlers/change-experiment.ts";
import { type Dependencies as Explaining, explainStep } from "./handlers/explain-step.ts";
import { type Dependencies as Forking, forkExperiment } from "./handlers/fork-experiment.ts";
import { getExperiment } from "./handlers/get-experiment.ts";
import { importCheckpoint } from "./handlers/import-checkpoint.ts";
import { listCheckpoints } from "./handlers/list-checkpoints.ts";
import { listExperiments } from "./handlers/list-experiments.ts";
import { startExperiment } from "./handlers/start-experiment.ts";
import { watchExperiment } from "./handlers/watch-experiment.ts";

export interface Dependencies extends Forking, Explaining {
  readonly experiments: Forking["experiments"];
  readonly index: RecordIndex<ExperimentFacts>;
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
    explainStep: explainStep(dependencies),
  });
}
