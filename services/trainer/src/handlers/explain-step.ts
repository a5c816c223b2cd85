/** ExplainStep: a past micro-step computed again, one caller after the other. */
import { DataLoss, FailedPrecondition, PretrainError, ResourceExhausted, Unavailable } from "@pretrain/errors";
import { type ExplainStepRequest, Experiment_Reason as Reason, type StepExplanation } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import { AttemptFault, ExperimentFault } from "../attempt/faults.ts";
import { type ExplainDependencies, explainStep as explained } from "../explanation/explain-step.ts";
import type { AskedStep } from "../explanation/explained-from.ts";
import type { Turns } from "../explanation/turns.ts";

export interface Dependencies extends ExplainDependencies {
  readonly explanations: Turns;
}

const usualDetailedRows = 8;

/** @param signal ends the work with the call */
export const explainStep =
  ({ explanations, ...dependencies }: Dependencies) =>
  async (request: ExplainStepRequest, { signal }: { readonly signal: AbortSignal }): Promise<StepExplanation> => {
    const asked: AskedStep = {
      experiment: idOfExperimentName(request.experiment, "experiment"),
      microStep: Number(request.microStep),
      detailedRows: request.detailedRows || usualDetailedRows,
    };
    await dependencies.experiments.get(asked.experiment); // whoever asks for none need not wait for it
    return await explanations.take(signal, async (until) => {
      try {
        return await explained(dependencies, asked, until);
      } catch (error) {
        until.throwIfAborted(); // what was cut off for it says nothing
        throw asStatus(error);
      }
    });
  };

/** What the process that computes met, as an answer. A fault of the program stays one. */
function asStatus(error: unknown): unknown {
  if (error instanceof PretrainError) return error;
  if (!(error instanceof ExperimentFault || error instanceof AttemptFault)) return error;
  const { message, reason } = error;
  if (reason === Reason.OUT_OF_RESOURCES) {
    const cure = "nothing was changed; ask again when there is more memory";
    return new ResourceExhausted("OUT_OF_RESOURCES", `${message}; ${cure}`, {}, { cause: error });
  }
  if (reason === Reason.DATA_LOSS) return new DataLoss("REPLAY_DATA_LOSS", message, {}, { cause: error });
  if (reason === Reason.NOT_FINITE) {
    const where = "though it was one when it was computed first: this machine computes otherwise";
    return new FailedPrecondition("NOT_FINITE", `${message}, ${where}`, {}, { cause: error });
  }
  const cure = "nothing was changed; ask again";
  return new Unavailable("EXPLANATION_LOST", `${message}; ${cure}`, {}, { cause: error });
}
