/** The streams that a watch reads, for as long as it takes: a service that restarts is waited for, and asked to go on. */
import { setTimeout as delay } from "node:timers/promises";
import { PretrainError } from "@pretrain/errors";
import {
  type Experiment,
  Experiment_State,
  type ReportService,
  type StepMetric,
  type TrainerService,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";

const pauseMs = 1000;

const finalStates: ReadonlySet<Experiment_State> = new Set([
  Experiment_State.COMPLETED,
  Experiment_State.FAILED,
  Experiment_State.CANCELLED,
]);

/** Nothing can change any more. */
export function isFinal({ state }: Pick<Experiment, "state">): boolean {
  return finalStates.has(state);
}

export interface Reconnection {
  readonly signal: AbortSignal;
  /** Called once for each loss of a connection that there was. */
  readonly onLost: (error: PretrainError) => void;
}

/**
 * The experiment now and after each change, up to its final state; less when the signal is aborted.
 *
 * @throws what WatchExperiment throws; Unavailable only when the trainer has not answered once
 */
export async function* experimentChanges(
  trainer: Pick<PretrainClient<typeof TrainerService>, "watchExperiment">,
  name: string,
  { signal, onLost }: Reconnection,
): AsyncGenerator<Experiment> {
  let connected = false;
  let lost = false;
  while (!signal.aborted) {
    try {
      for await (const { experiment } of trainer.watchExperiment({ name }, { signal })) {
        [connected, lost] = [true, false];
        if (experiment === undefined) continue;
        yield experiment;
        if (isFinal(experiment)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || !isAway(error)) throw error;
      if (!lost) onLost(error);
      lost = true;
    }
    await pause(signal);
  }
}

/**
 * Micro-steps as they come into the ledger, from now on, until the signal is aborted. They are what is shown beside the state: a
 * ledger that is away, or does not know the experiment yet, is asked again.
 */
export async function* ledgerSteps(
  reports: Pick<PretrainClient<typeof ReportService>, "watchMetrics">,
  experiment: string,
  signal: AbortSignal,
): AsyncGenerator<StepMetric> {
  let place = "";
  while (!signal.aborted) {
    try {
      for await (const message of reports.watchMetrics({ experiment, place }, { signal })) {
        place = message.place;
        yield* message.steps;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PretrainError)) throw error;
      if (error.status === "RESOURCE_EXHAUSTED")
        place = ""; // too far behind for its place: from now on
      else if (error.status !== "UNAVAILABLE" && error.status !== "NOT_FOUND") throw error;
    }
    await pause(signal);
  }
}

function isAway(error: unknown): error is PretrainError {
  return error instanceof PretrainError && error.status === "UNAVAILABLE";
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(pauseMs, undefined, { signal }).catch(() => undefined); // aborted: the loop around ends
}
