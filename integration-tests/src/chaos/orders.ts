/** What users do in the middle of all this: pause and resume, something more urgent, a fork. Commands that were answered count. */
import { Experiment_Priority as Priority, Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { answered, forkTrial, hasEnded, startTrial, stateOf } from "./experiments-on-trial.ts";
import type { Fault } from "./faults.ts";

const answerMs = 120_000;

/** Paused, it stands still until it is resumed. Each command is asked for until it is answered, always as the same request. */
export const pauseAndResume: Fault = async ({ system, trial }, { number }) => {
  const name = `experiments/${trial.id}`;
  if (hasEnded(await stateOf(system, trial))) return false;
  await answered(system, (trainer) =>
    trainer.pauseExperiment({ name, requestId: `pause/${number}` }).catch(unlessEnded(trainer, name)),
  );
  const reached = await until(
    async () => {
      const experiment = await stateOf(system, trial);
      return (experiment.state === State.PAUSED || hasEnded(experiment)) && experiment;
    },
    { timeoutMs: answerMs },
  );
  if (hasEnded(reached)) return false; // it was faster
  await answered(system, (trainer) => trainer.resumeExperiment({ name, requestId: `resume/${number}` }));
  return true;
};

/** The running one gives way to it and goes on later. */
export const moreUrgent: Fault = async ({ system, add }, { number }) => {
  add(await startTrial(system, `urgent-${number}`, Priority.HIGH));
  return true;
};

/** From a checkpoint of the running one, with nothing changed but its purpose: what it computes must be what its parent does. */
export const fork: Fault = async ({ system, trial, add }, { number, place }) => {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  const { checkpoints } = await trainer.listCheckpoints({ parent: `experiments/${trial.id}` });
  const whole = checkpoints.filter(({ microStep }) => !trial.damaged.has(Number(microStep)));
  const parent = whole[Math.floor(place * whole.length)];
  if (parent === undefined) return false;
  add(await forkTrial(system, `fork-${number}`, parent.name));
  return true;
};

/** An experiment that has ended cannot be paused: that is an answer, too. */
function unlessEnded(trainer: PretrainClient<typeof TrainerService>, name: string) {
  return async (refused: unknown) => {
    if (!hasEnded(await trainer.getExperiment({ name }))) throw refused;
  };
}
