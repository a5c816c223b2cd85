/** ReadSteps: every accepted micro-step, in messages of some hundred. The next one is read when the caller has taken the last. */
import { create } from "@bufbuild/protobuf";
import { Aborted, InvalidArgument } from "@pretrain/errors";
import { type ReadStepsRequest, type ReadStepsResponse, ReadStepsResponseSchema } from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import { lastMicroStep } from "../ledger/accepted-steps.ts";
import { readCountingAttempts } from "../ledger/counting-attempts.ts";
import { isKnown } from "../ledger/is-known.ts";
import { readStepEvents } from "../ledger/read-step-events.ts";
import { type Dependencies, unknownExperiment } from "./dependencies.ts";

/** 60 kB; read in 5 ms. */
const stepsOfMessage = 256;

export const readSteps = ({ ledger }: Pick<Dependencies, "ledger">) =>
  async function* (request: ReadStepsRequest): AsyncGenerator<ReadStepsResponse> {
    const experiment = idOfExperimentName(request.experiment, "experiment");
    const to = Number(request.toMicroStep) || lastMicroStep;
    let from = Number(request.fromMicroStep);
    if (from > to) throw emptyRange(from, to);
    if (!isKnown(ledger, experiment)) throw unknownExperiment(experiment);
    let counting = readCountingAttempts(ledger, experiment);
    for (;;) {
      const steps = readStepEvents(ledger, { experiment, from, to, limit: stepsOfMessage });
      if (steps.length > 0) yield create(ReadStepsResponseSchema, { steps });
      if (steps.length < stepsOfMessage) return;
      from = Number(steps.at(-1)?.microStep) + 1;
      const now = readCountingAttempts(ledger, experiment);
      const changed = now.firstChangeSince(counting);
      if (changed !== undefined && changed < from) throw replaced(experiment, changed);
      counting = now;
    }
  };

function emptyRange(from: number, to: number): InvalidArgument {
  const description = `is ${to}, before from_micro_step, which is ${from}`;
  return new InvalidArgument([{ field: "to_micro_step", description }]);
}

function replaced(experiment: string, microStep: number): Aborted {
  const name = experimentName(experiment);
  const message = `micro-steps of ${name} from ${microStep} on, which were sent already, are others now; read them again`;
  return new Aborted("STEPS_REPLACED", message, { name, microStep: String(microStep) });
}
