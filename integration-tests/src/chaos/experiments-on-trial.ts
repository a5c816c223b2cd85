/** The experiments that are disturbed: one runs at a time, those before it are let come to rest and are judged then. */
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Experiment,
  Gap_Kind as Kind,
  Experiment_Priority as Priority,
  type RecipeSchema,
  ReportService,
  Experiment_State as State,
  TrainerService,
} from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { tinyRecipe } from "../tiny-recipe.ts";
import { ledgerContent } from "./oracle/event-rows.ts";
import { type Evidence, gather, type ObservedSystem } from "./oracle/evidence.ts";
import type { Wire } from "./system/wire.ts";

/** 378 micro-steps, a checkpoint every 54: some ten seconds, when nothing happens. */
const recipe = {
  ...tinyRecipe,
  training: { ...tinyRecipe.training, epochs: 14, saveInterval: 54 },
  evaluation: { samples: 1, inputLength: 20, predictLength: 8 },
} satisfies MessageInitShape<typeof RecipeSchema>;

const answerMs = 120_000;
/** Gaps that no waiting closes: an evaluation that has failed, an attempt that died before it could say what it ran on. */
const staysSo: ReadonlySet<Kind> = new Set([Kind.EVALUATION_FAILED, Kind.ATTEMPT]);
/** After the last fault; a machine that is busy with other things takes its time. */
const restMs = 240_000;

export interface AnsweringSystem extends ObservedSystem {
  /** host:port of a service's gRPC. */
  address(name: "trainer" | "report"): string;
}

export interface Trial {
  readonly id: string;
  /** Micro-step that it goes on from, for a fork; else 0. */
  readonly beginsAt: number;
  /** Micro-steps of checkpoints that a fault has damaged. */
  readonly damaged: Set<number>;
  /** Attempts that were training when their worker was asked to end. */
  readonly drained: Set<number>;
  /** Whether the broker has got an older disk while it ran. */
  isRolledBack: boolean;
}

/** Asks until it is answered, always with the same request id: however often, it is one experiment. */
export async function startTrial(
  system: AnsweringSystem,
  id: string,
  priority: Priority = Priority.NORMAL,
): Promise<Trial> {
  const request = { experimentId: id, recipe, priority, requestId: `chaos/${id}` };
  await answered(system, (trainer) => trainer.startExperiment(request, { timeoutMs: 5_000 }));
  return newTrial(id, 0);
}

/** @param checkpoint `experiments/…/checkpoints/…` that it goes on from */
export async function forkTrial(system: AnsweringSystem, id: string, checkpoint: string): Promise<Trial> {
  const changed = { intent: { purpose: `${id} of ${checkpoint}` } };
  const request = { checkpoint, experimentId: id, recipe: changed, requestId: `chaos/${id}` };
  await answered(system, (trainer) => trainer.forkExperiment(request, { timeoutMs: 5_000 }));
  return newTrial(id, Number(checkpoint.split("/").at(-1)));
}

export function newTrial(id: string, beginsAt: number): Trial {
  return { id, beginsAt, damaged: new Set(), drained: new Set(), isRolledBack: false };
}

/** Asks until there is an answer; a service that is away is asked again. */
export async function answered(
  system: AnsweringSystem,
  ask: (trainer: PretrainClient<typeof TrainerService>) => Promise<unknown>,
): Promise<void> {
  await until(
    async () => {
      using trainer = connectClient(TrainerService, system.address("trainer"));
      await ask(trainer);
      return true;
    },
    { timeoutMs: answerMs },
  );
}

export async function stateOf(system: AnsweringSystem, { id }: Trial): Promise<Experiment> {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  return await trainer.getExperiment({ name: `experiments/${id}` }, { timeoutMs: 5_000 });
}

export function hasEnded({ state }: Experiment): boolean {
  return state === State.COMPLETED || state === State.FAILED || state === State.CANCELLED;
}

/** Whether the experiment has ended, every checkpoint is measured, and nothing is on its way any more. */
export async function isAtRest(system: AnsweringSystem, wire: Wire, trial: Trial): Promise<boolean> {
  if (!hasEnded(await stateOf(system, trial)) || !isRecorded(system, wire, trial.id)) return false;
  const [{ listed, gaps }, measured] = [await toldBy(system, trial), await measuredSteps(system, trial)];
  const unmeasured = listed.filter((step) => !measured.has(step));
  const isWaiting = gaps.some(({ kind }) => !staysSo.has(kind));
  return unmeasured.length === 0 && (!isWaiting || trial.damaged.size > 0 || trial.isRolledBack);
}

/**
 * Everything about an experiment once it has come to rest: ended, every checkpoint measured, nothing on its way any more.
 * What is not so after minutes is in the evidence as it is, and is found there.
 */
export async function evidenceAtRest(system: AnsweringSystem, wire: Wire, trial: Trial): Promise<Evidence> {
  try {
    await until(() => isAtRest(system, wire, trial), { timeoutMs: restMs });
  } catch {
    // the findings say what is missing
  }
  const told = await until(() => toldBy(system, trial), { timeoutMs: answerMs });
  return await gather(system, wire, trial.id, told);
}

/** Whether everything of an experiment that the broker has acknowledged is in the ledger. */
export function isRecorded(system: AnsweringSystem, wire: Wire, experiment: string): boolean {
  const { events } = ledgerContent(join(system.state, "report", "ledger.sqlite"), experiment);
  const known = new Set(events.map(({ id }) => id));
  return wire.acknowledgedOf(experiment).every((id) => known.has(id));
}

async function toldBy(system: AnsweringSystem, { id, beginsAt, damaged, drained, isRolledBack }: Trial) {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  using reports = connectClient(ReportService, system.address("report"));
  const { checkpoints } = await trainer.listCheckpoints({ parent: `experiments/${id}`, pageSize: 1000 });
  const { gaps } = await reports.getReport({ name: `experiments/${id}/report` });
  return {
    listed: checkpoints.map(({ microStep }) => Number(microStep)),
    gaps,
    beginsAt,
    damaged,
    drained,
    isRolledBack,
  };
}

/** Micro-steps whose evaluations have ended, well or not. */
async function measuredSteps(system: AnsweringSystem, { id }: Trial): Promise<Set<number>> {
  using reports = connectClient(ReportService, system.address("report"));
  const { evaluations } = await reports.getReport({ name: `experiments/${id}/report` });
  return new Set(evaluations.map(({ microStep }) => Number(microStep)));
}
