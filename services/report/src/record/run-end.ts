/** The end of a run: where it is, and whether the ledger has what stands there. */
import type { EvaluatedCheckpoint } from "./checkpoint-evaluations.ts";
import type { History } from "./history.ts";
import type { MissingSteps } from "./missing-steps.ts";

export interface RunEnd {
  /** Micro-steps that the run is to have: fewer than planned when it was stopped early. Undefined while nobody has counted them. */
  readonly microSteps: number | undefined;
  readonly hasLastStep: boolean;
  /** Whether the last checkpoint is the one behind the last micro-step. */
  readonly hasLastCheckpoint: boolean;
}

export function runEnd(
  { transitions, attempts }: Pick<History, "transitions" | "attempts">,
  { last }: Pick<MissingSteps, "last">,
  checkpoints: readonly EvaluatedCheckpoint[],
): RunEnd {
  const counted = transitions.at(-1)?.microStep ?? attempts.at(-1)?.totalMicroSteps;
  const microSteps = counted === undefined ? undefined : Number(counted);
  const lastCheckpoint = checkpoints.at(-1)?.checkpoint;
  return {
    microSteps,
    hasLastStep: last === microSteps,
    hasLastCheckpoint: lastCheckpoint !== undefined && Number(lastCheckpoint.microStep) === microSteps,
  };
}
