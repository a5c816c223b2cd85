/** A micro-step computed again by the trainer, beside what the ledger says that it came to: equal bits are equal numbers in JSON. */
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { ExplainStepRequestSchema, StepExplanationSchema } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { Ledger } from "../../ledger/open-ledger.ts";
import { readSteps } from "../../ledger/read-steps.ts";
import type { Peers } from "../../peers.ts";
import { type Action, messageIn } from "./action.ts";

/** All micro-steps from a checkpoint on are computed again. */
const explainingMs = 900_000;

export function explainAction(trainer: Peers["trainer"], ledger: Ledger): Action {
  return {
    async answer(body, asking) {
      const request = messageIn(ExplainStepRequestSchema, body);
      const found = await trainer.explainStep(request, { ...asking, timeoutMs: explainingMs });
      const experiment = idOfExperimentName(request.experiment, "experiment");
      const own = loggedStep(ledger, experiment, Number(found.microStep));
      const ending = loggedStep(ledger, experiment, Number(found.optimizerMicroStep));
      return {
        explanation: toJson(StepExplanationSchema, found),
        logged: {
          lossNats: own?.lossNats ?? null,
          gradientNorm: ending?.gradientNorm ?? null, // of the optimizer step that it belongs to
          clipScale: ending?.clipScale ?? null,
        } satisfies JsonValue,
      };
    },
  };
}

function loggedStep(ledger: Ledger, experiment: string, microStep: number) {
  const [step] = readSteps(ledger, experiment, microStep, microStep);
  return step;
}
