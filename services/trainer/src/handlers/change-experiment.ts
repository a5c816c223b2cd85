/** Pause, resume, cancel: a user's request becomes one compare-and-set of the record, and is answered with what it has become. */
import { Aborted } from "@pretrain/errors";
import type { Experiment } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { resourceOf } from "../experiment/record.ts";
import { cancel, pause, resume, type UserRequest } from "../experiment/user-requests.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly now: () => Date;
  /** Says that there may be work, so that nobody has to look for it. */
  readonly wake: () => void;
}

export const pauseExperiment = (dependencies: Dependencies) => changeBy(pause, dependencies);
export const resumeExperiment = (dependencies: Dependencies) => changeBy(resume, dependencies);
export const cancelExperiment = (dependencies: Dependencies) => changeBy(cancel, dependencies);

function changeBy(request: UserRequest, { experiments, now, wake }: Dependencies) {
  return async ({ name, etag }: { readonly name: string; readonly etag: string }): Promise<Experiment> => {
    const found = await experiments.change(idOfExperimentName(name), ({ value, revision }) => {
      expectEtag(etag, String(revision));
      return request(value, now());
    });
    const { value, revision } = await experiments.settle(found);
    wake();
    return resourceOf(value, revision);
  };
}

function expectEtag(given: string, current: string): void {
  if (given === "" || given === current) return;
  const message = `etag "${given}" is not the experiment's, which is "${current}" now; read it again`;
  throw new Aborted("ETAG_MISMATCH", message, { etag: given, current });
}
