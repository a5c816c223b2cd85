/**
 * What a user's request makes of an experiment. Whom a worker holds it asks; everything else changes at once:
 *
 *                       pause                      resume                     cancel
 *     QUEUED            PAUSED                     –                          CANCELLED
 *     PREPARING         pause requested            –                          cancellation requested
 *     RUNNING           pause requested            –                          cancellation requested
 *     INTERRUPTED       PAUSED                     –                          CANCELLED
 *     PAUSED            –, and by its user now     QUEUED                     CANCELLED
 *     pause requested   –                          the request is withdrawn   cancellation requested
 *     cancel requested  refused                    refused                    –
 *     ended             refused                    refused                    refused
 *
 * `–` changes nothing, so that a request may be repeated when its answer was lost.
 */
import { FailedPrecondition } from "@pretrain/errors";
import {
  type Experiment,
  type ExperimentRecord,
  Experiment_Reason as Reason,
  Experiment_State as State,
} from "@pretrain/proto";
import { isFinal, isHeld, stateName } from "./lifecycle.ts";
import { changed, experimentOf, withFields } from "./record.ts";

/** The record after the request; undefined when it changes nothing. @throws FailedPrecondition when it is refused */
export type UserRequest = (record: ExperimentRecord, now: Date) => ExperimentRecord | undefined;

export const pause: UserRequest = (record, now) => {
  const experiment = goingOn(record);
  const { state, reason, pauseRequested } = experiment;
  const message = "paused by its user";
  if (state === State.PAUSED) {
    return reason === Reason.USER ? undefined : withFields(record, { reason: Reason.USER, message });
  }
  if (pauseRequested) return undefined;
  if (isHeld(state)) return withFields(record, { pauseRequested: true });
  return changed(record, "pause", { now, reason: Reason.USER, message });
};

export const resume: UserRequest = (record, now) => {
  const { state, pauseRequested } = goingOn(record);
  if (pauseRequested) return withFields(record, { pauseRequested: false });
  if (state !== State.PAUSED) return undefined;
  return changed(record, "resume", { now, reason: Reason.USER, message: "resumed by its user; waits for a worker" });
};

export const cancel: UserRequest = (record, now) => {
  const { state, cancelRequested } = unfinished(record);
  if (cancelRequested) return undefined;
  if (isHeld(state)) return withFields(record, { cancelRequested: true });
  return changed(record, "cancel", { now, reason: Reason.USER, message: "cancelled while no worker held it" });
};

function unfinished(record: ExperimentRecord): Experiment {
  const experiment = experimentOf(record);
  const { name } = experiment;
  const state = stateName(experiment.state);
  if (!isFinal(experiment.state)) return experiment;
  throw new FailedPrecondition("EXPERIMENT_ENDED", `${name} has ended: it is ${state}`, { name, state });
}

function goingOn(record: ExperimentRecord): Experiment {
  const experiment = unfinished(record);
  const { name, cancelRequested } = experiment;
  if (!cancelRequested) return experiment;
  throw new FailedPrecondition("EXPERIMENT_ENDING", `${name} is being cancelled`, { name });
}
