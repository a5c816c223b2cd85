/** An experiment's progress in the terminal: a line that moves, or plain lines where the output is not a terminal. */
import { FailedPrecondition } from "@pretrain/errors";
import { type Experiment, Experiment_State, type TrainerService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { progressLine } from "./progress-line.ts";
import { stateName } from "./state-name.ts";

const plainIntervalMs = 5000;

/**
 * Shows the experiment until it has ended. Leaving early (Ctrl-C) changes nothing for the experiment.
 *
 * @returns the completed experiment. @throws FailedPrecondition with the recorded reason, when it failed or was cancelled.
 */
export async function followExperiment(
  trainer: PretrainClient<typeof TrainerService>,
  name: string,
): Promise<Experiment> {
  let last: Experiment | undefined;
  const show = process.stdout.isTTY ? showMoving() : showPlain();
  for await (const { experiment } of trainer.watchExperiment({ name })) {
    if (experiment === undefined) continue;
    last = experiment;
    show(experiment);
  }
  if (process.stdout.isTTY) process.stdout.write("\n");
  return completed(name, last);
}

function completed(name: string, experiment: Experiment | undefined): Experiment {
  if (experiment?.state === Experiment_State.COMPLETED) return experiment;
  const state = experiment === undefined ? "UNKNOWN" : stateName(experiment.state);
  throw new FailedPrecondition(
    "EXPERIMENT_NOT_COMPLETED",
    `${name} is ${state}: ${experiment?.message ?? "the watch ended"}`,
    { name, state },
  );
}

function showMoving(): (experiment: Experiment) => void {
  return (experiment) => {
    process.stdout.write(`\r${progressLine(experiment, process.stdout.columns ?? 80)}\u001b[K`);
  };
}

/** One line for each state, and one every few seconds within it. */
function showPlain(): (experiment: Experiment) => void {
  let state: Experiment_State | undefined;
  let shown = 0;
  return (experiment) => {
    const now = performance.now();
    if (experiment.state === state && now - shown < plainIntervalMs) return;
    state = experiment.state;
    shown = now;
    process.stdout.write(`${progressLine(experiment, 0)}\n`);
  };
}
