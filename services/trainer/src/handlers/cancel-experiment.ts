/** Asks for the end. What no worker holds ends here; a worker ends behind the micro-step that it is computing. */
import { Aborted, FailedPrecondition } from "@pretrain/errors";
import { type CancelExperimentRequest, type Experiment, Experiment_Reason as Reason } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { isFinal, isHeld, stateName } from "../experiment/lifecycle.ts";
import { changed, experimentOf, resourceOf, withFields } from "../experiment/record.ts";
import type { Experiments } from "../stores/experiments.ts";

export interface Dependencies {
  readonly experiments: Experiments;
  readonly now: () => Date;
}

export const cancelExperiment =
  ({ experiments, now }: Dependencies) =>
  async ({ name, etag }: CancelExperimentRequest): Promise<Experiment> => {
    const found = await experiments.change(idOfExperimentName(name), ({ value, revision }) => {
      expectEtag(etag, String(revision));
      const { state, cancelRequested } = experimentOf(value);
      if (isFinal(state)) throw hasEnded(name, stateName(state));
      if (cancelRequested) return undefined;
      if (isHeld(state)) return withFields(value, { cancelRequested: true });
      return changed(value, "cancel", {
        now: now(),
        reason: Reason.USER,
        message: "cancelled while no worker held it",
      });
    });
    const { value, revision } = await experiments.settle(found);
    return resourceOf(value, revision);
  };

function expectEtag(given: string, current: string): void {
  if (given === "" || given === current) return;
  const message = `etag "${given}" is not the experiment's, which is "${current}" now; read it again`;
  throw new Aborted("ETAG_MISMATCH", message, { etag: given, current });
}

function hasEnded(name: string, state: string): FailedPrecondition {
  return new FailedPrecondition("EXPERIMENT_ENDED", `${name} has ended: it is ${state}`, { name, state });
}
